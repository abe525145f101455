// Who is at the other end, seen through proxies that are trusted to say so. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/network.h"
#include "callback/http_server.h"

namespace tw::callback {

struct Client {
  std::string address;  // numeric, or "unix"
  bool secure = false;  // HTTPS, here or at the trusted proxy (X-Forwarded-Proto)
};

// X-Forwarded-For counts only when the peer is trusted: from its end backwards, the first address that is not
// a trusted proxy. A unix socket is trusted as soon as any proxy is, since only this machine reaches it.
Client FindClient(const HttpRequest& request, const AddressSet& trusted);

// What counts as one client for limits: an IPv4 address, an IPv6 /64, or the text itself when it is not an
// address ("unix").
std::string ClientKey(std::string_view address);

}  // namespace tw::callback
