#include "service/unknown_calls.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "wire/authservice.grpc.pb.h"

namespace tw::sandbox {
namespace {

class Refusing final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusing(const std::string& why) { Finish({grpc::StatusCode::UNIMPLEMENTED, why}); }
  void OnDone() override { delete this; }
};

// `path` is /package.Service/Method.
std::string Why(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0)
    return fmt::format("malformed method name: \"{}\"", path);
  const std::string_view service = path.substr(1, slash - 1);
  if (service != proto::AuthService::service_full_name()) return fmt::format("unknown service {}", service);
  return fmt::format("unknown method {} for service {}", path.substr(slash + 1), service);
}

}  // namespace

grpc::ServerGenericBidiReactor* UnknownCalls::CreateReactor(grpc::GenericCallbackServerContext* context) {
  return new Refusing(Why(context->method()));
}

}  // namespace tw::sandbox
