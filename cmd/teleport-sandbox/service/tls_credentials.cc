#include "service/tls_credentials.h"

#include <grpc/grpc_security.h>

#include <mutex>
#include <string>
#include <utility>

namespace tw::sandbox {
namespace {

class Reloading final : public grpc::ServerCredentials {
 public:
  explicit Reloading(std::function<ServerIdentity()> current) : current_(std::move(current)) {}

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY, &Reloading::Fetch, this));
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  static grpc_ssl_certificate_config_reload_status Fetch(void* self,
                                                         grpc_ssl_server_certificate_config** config) {
    return static_cast<Reloading*>(self)->FetchNow(config);
  }

  grpc_ssl_certificate_config_reload_status FetchNow(grpc_ssl_server_certificate_config** config) {
    const ServerIdentity now = current_();
    std::lock_guard lock(mutex_);
    const std::string all = now.key_pem + now.certificate_pem + now.client_roots_pem;
    if (all == given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{now.key_pem.c_str(), now.certificate_pem.c_str()};
    *config = grpc_ssl_server_certificate_config_create(now.client_roots_pem.c_str(), &pair, 1);
    given_ = all;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::function<ServerIdentity()> current_;
  std::mutex mutex_;
  std::string given_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ReloadingCredentials(std::function<ServerIdentity()> current) {
  return std::make_shared<Reloading>(std::move(current));
}

}  // namespace tw::sandbox
