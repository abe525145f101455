// HttpTransport: the port through which deliveries leave. One thread submits and polls; answers come out of
// Poll in any order. The libcurl adapter lives in a private module (tw_curl), loaded by LoadHttpTransport.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace tw::webhook {

// How to reach one endpoint; shared by all its calls.
struct HttpTarget {
  Secret url;  // absolute, without user info; path and query may be secret
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool insecure_skip_verify = false;
  Secret proxy_url;                           // empty: the environment decides (HTTPS_PROXY, NO_PROXY, ...)
  bool direct = false;                        // no proxy, whatever the environment says
  std::chrono::milliseconds timeout{10'000};  // of the whole exchange, name look-up included
};

struct HttpCall {
  std::uint64_t id = 0;  // chosen by the caller, given back in the answer
  std::shared_ptr<const HttpTarget> target;
  std::vector<std::pair<std::string, std::string>>
      headers;  // complete: nothing but Host and Content-Length is added
  std::string body;
};

enum class TransportFailure { kNone, kName, kConnect, kTls, kTimeout, kProxy, kOther };

// The largest part of an answer's body that is read.
inline constexpr std::size_t kMostAnswer = 64 * 1024;

struct HttpAnswer {
  std::uint64_t id = 0;
  int status = 0;  // 0: none came
  TransportFailure failure = TransportFailure::kNone;
  std::string error;        // why no answer came, in words without secrets
  std::string retry_after;  // the header's value
  std::string location;     // the header's value; redirects are never followed
  std::string body;         // at most kMostAnswer bytes
  std::chrono::microseconds took{0};
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  // Starts a call. Only from the polling thread.
  virtual void Submit(HttpCall call) = 0;
  // Works for up to `wait`, returns as soon as there are answers or Wake was called.
  virtual std::vector<HttpAnswer> Poll(std::chrono::milliseconds wait) = 0;
  // Ends the current or next Poll early. Any thread.
  virtual void Wake() = 0;
  // Gives up all calls under way; they get no answer. Only from the polling thread.
  virtual void CancelAll() = 0;
};

// Error: the module is missing.
Result<std::unique_ptr<HttpTransport>> LoadHttpTransport();

}  // namespace tw::webhook
