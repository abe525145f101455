// Who is at the other end, seen through proxies that are trusted to say so. Pure.
#pragma once

#include <string>

#include "callback/http_server.h"
#include "callback/network.h"

namespace tw::callback {

struct Client {
  std::string address;  // numeric, or "unix"
  bool secure = false;  // HTTPS, here or at the trusted proxy (X-Forwarded-Proto)
};

// X-Forwarded-For counts only when the peer is trusted: from its end backwards, the first address that is not
// a trusted proxy. A unix socket is trusted as soon as any proxy is, since only this machine reaches it.
Client FindClient(const HttpRequest& request, const AddressSet& trusted);

}  // namespace tw::callback
