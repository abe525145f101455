// A plain gRPC client of the sandbox, with gRPC's own TLS.
#pragma once

#include <grpcpp/grpcpp.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "sandbox.h"
#include "wire/authservice.grpc.pb.h"

namespace tw::recorded {

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A channel of its own each time. `user` empty: no client certificate.
inline std::shared_ptr<grpc::Channel> OpenChannel(const sandbox::Sandbox& sandbox, const std::string& user) {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = ReadText(sandbox.File("plugin.cas"));
  if (!user.empty()) {
    tls.pem_private_key = ReadText(sandbox.File(user + ".key"));
    tls.pem_cert_chain = ReadText(sandbox.File(user + ".crt"));
  }
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("teleport.cluster.local");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(sandbox.address().Text(), grpc::SslCredentials(tls), arguments);
}

inline std::unique_ptr<proto::AuthService::Stub> Connect(const sandbox::Sandbox& sandbox,
                                                         const std::string& user) {
  return proto::AuthService::NewStub(OpenChannel(sandbox, user));
}

// A directory that goes with the object.
class ScratchDir {
 public:
  ScratchDir() {
    std::string name = (std::filesystem::temp_directory_path() / "sandbox-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tw::recorded
