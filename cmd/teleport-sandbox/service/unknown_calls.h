// Answers calls of services and methods that the sandbox does not have, in the words of a Go server: gRPC's
// own answer here says nothing at all. gRPC's threads call.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

namespace tw::sandbox {

class UnknownCalls final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;
};

}  // namespace tw::sandbox
