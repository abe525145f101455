// The head of a request, out of libmicrohttpd's hands and checked.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "callback/http_server.h"

struct MHD_Connection;
struct sockaddr;

namespace tw::callback {

// Numeric, without port; "unix" for anything that is not internet.
std::string PeerText(const sockaddr* address);
// Nullopt: a header was folded over several lines (RFC 9112 section 5.2), which libmicrohttpd misreads.
std::optional<std::vector<std::pair<std::string, std::string>>> ReadHeaders(MHD_Connection* connection);
std::size_t HeadSize(const HttpRequest& request);  // bytes on the wire, without the first line's version

enum class FramingVerdict { kGood, kBad, kTooLarge };
// Bad: what two servers in a row could read differently (several lengths, length and chunks together, an
// unknown coding, chunks under HTTP/1.0, no or several hosts, a header name that is no token, a control
// character in a value). RFC 9112 sections 3.2, 5 and 6.
FramingVerdict CheckFraming(const HttpRequest& request, std::string_view version, std::size_t max_body);

}  // namespace tw::callback
