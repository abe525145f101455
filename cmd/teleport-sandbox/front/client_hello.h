// The first message of a TLS connection, read without taking part: which protocols does the client offer?
// That is all a router needs (reference page section 5.5). Pure, any thread. Facts: RFC 8446 section 4.1.2,
// RFC 7301.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tw::sandbox {

struct ClientHello {
  std::vector<std::string> protocols;  // ALPN, in the client's order; empty when it offers none
};

enum class HelloState { kIncomplete, kNotTls, kComplete };

// `bytes`: what has come in so far. Fills `hello` for kComplete.
HelloState ParseClientHello(std::string_view bytes, ClientHello& hello);

// The cluster that "teleport-auth@<hex>.teleport.cluster.local" names; nullopt for any other protocol.
std::optional<std::string> ClusterOfRoute(std::string_view protocol);

}  // namespace tw::sandbox
