// Lister: one listing of access requests by the newest method that the server knows (reference page
// sections 1.1, 1.2). For one thread and one run. Internal to lib/teleport.
#pragma once

#include "teleport/connection.h"

namespace tw::teleport {

class Lister {
 public:
  Lister(Connection& connection, Call call, const types::AccessRequestFilter& filter,
         const access::AccessApi::PageVisitor& page, const Bound& bound)
      : connection_(connection), call_(call), filter_(filter), page_(page), bound_(bound) {}

  // The method that worked is remembered in the connection.
  Status Run();

 private:
  // Each returns true when done, false when the server does not know the method.
  Result<bool> Paged();
  Result<bool> Streamed();
  Result<bool> Unary();
  Result<bool> Finish(const grpc::Status& status);

  Connection& connection_;
  const Call call_;
  const types::AccessRequestFilter& filter_;
  const access::AccessApi::PageVisitor& page_;
  const Bound& bound_;
};

}  // namespace tw::teleport
