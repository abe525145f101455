// A plain HTTP listener on loopback that hands over whole requests. Wraps civetweb (one of two files that
// know it).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/url.h"

namespace tw::sandbox {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Incoming {
  std::string method;
  std::string path;  // with the query, as written
  std::string version;
  Headers headers;
  std::string body;  // at most kMaxBody bytes; more is answered 413 before the handler sees it
};

struct Reply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  Headers headers;
  std::string body;
};

inline constexpr std::size_t kMaxBody = 4U << 20U;

class HttpBin {
 public:
  // Called on many threads at once; it may wait, each wait holds one of them.
  using Handler = std::function<Reply(Incoming)>;

  // `address.host` must be loopback. Error: kUsage or kFailure naming the address.
  static Result<std::unique_ptr<HttpBin>> Start(const Address& address, Handler handler);
  ~HttpBin();  // waits until the requests under way are answered

  std::uint16_t port() const;

 private:
  struct Impl;
  explicit HttpBin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tw::sandbox
