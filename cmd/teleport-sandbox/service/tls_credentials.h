// TLS of gRPC's own on the server side, with certificates that can be exchanged while it runs: each handshake
// asks for the present ones. Client certificates are verified if given. Facts: reference page sections 5.2
// and 5.4.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "pki/pki.h"

namespace tw::sandbox {

// `current` is asked on gRPC's threads, once a handshake.
std::shared_ptr<grpc::ServerCredentials> ReloadingCredentials(std::function<ServerIdentity()> current);

}  // namespace tw::sandbox
