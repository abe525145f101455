// HttpTransport over libcurl's multi interface: the only file that sees libcurl.
#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "webhook/http_transport.h"
#include "webhook/socket_watch.h"

namespace tw::webhook {
namespace {

constexpr long kMostConnections = 512;         // kept open for reuse, over all endpoints
constexpr std::size_t kMostIdleHandles = 128;  // kept for reuse
constexpr std::size_t kMostHead = 64 * 1024;   // of an answer; libcurl 7.88 limits single lines only

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using HandlePtr = std::unique_ptr<CURL, HandleDeleter>;

// One call under way. Its address must not change: libcurl writes through it.
struct Exchange {
  HttpCall call;
  HandlePtr handle;
  std::unique_ptr<curl_slist, ListDeleter> headers;
  HttpAnswer answer;
  std::size_t head_size = 0;
  char error[CURL_ERROR_SIZE] = "";
};

// A handle that has been used for a target keeps its options: setting them again costs more than the rest.
struct IdleHandle {
  HandlePtr handle;
  std::shared_ptr<const HttpTarget> target;
};

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* context) {
  std::string& body = static_cast<Exchange*>(context)->answer.body;
  const std::size_t room = kMostAnswer - body.size();
  body.append(data, std::min(size, room));
  return size <= room ? size : 0;  // enough was read: libcurl ends the transfer
}

std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  HttpAnswer& answer = exchange.answer;
  exchange.head_size += size;
  if (exchange.head_size > kMostHead) return 0;
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {  // what an interim answer (1xx) said does not count
    answer.retry_after.clear();
    answer.location.clear();
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  const std::string name = AsciiLower(line.substr(0, colon));
  if (name == "retry-after") answer.retry_after = Trim(line.substr(colon + 1));
  if (name == "location") answer.location = Trim(line.substr(colon + 1));
  return size;
}

TransportFailure FailureOf(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return TransportFailure::kNone;
    case CURLE_COULDNT_RESOLVE_HOST:
      return TransportFailure::kName;
    case CURLE_COULDNT_CONNECT:
      return TransportFailure::kConnect;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return TransportFailure::kProxy;
    case CURLE_OPERATION_TIMEDOUT:
      return TransportFailure::kTimeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return TransportFailure::kTls;
    default:
      return TransportFailure::kOther;
  }
}

void SetText(CURL* handle, CURLoption option, const std::string& value) {
  if (!value.empty()) curl_easy_setopt(handle, option, value.c_str());
}

void SetTarget(CURL* handle, const HttpTarget& target) {
  curl_easy_setopt(handle, CURLOPT_URL, std::string(target.url.Reveal()).c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  const long timeout = std::max<long>(1, static_cast<long>(target.timeout.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, timeout);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!target.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, target.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(handle, CURLOPT_CA_CACHE_TIMEOUT, 0L);  // the file may be renewed under its name
  }
  SetText(handle, CURLOPT_SSLCERT, target.cert_file);
  SetText(handle, CURLOPT_SSLKEY, target.key_file);
  curl_easy_setopt(handle, CURLOPT_KEYPASSWD, "");  // else OpenSSL asks for it at the terminal
  if (target.insecure_skip_verify) {
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (target.direct) {
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
  } else if (!target.proxy_url.empty()) {
    SetText(handle, CURLOPT_PROXY, std::string(target.proxy_url.Reveal()));
    curl_easy_setopt(handle, CURLOPT_NOPROXY,
                     "");  // else NO_PROXY of the environment would overrule the setting
  }
  curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void SetCall(Exchange& exchange) {
  CURL* handle = exchange.handle.get();
  curl_slist* list = nullptr;
  for (const auto& [name, value] : exchange.call.headers)
    // "Name:" would mean that libcurl's own header of the name is to be left out.
    list = curl_slist_append(list, (value.empty() ? name + ";" : name + ": " + value).c_str());
  list = curl_slist_append(list, "Accept:");
  list = curl_slist_append(
      list, "Expect:");  // a receiver that waits for the body's permission would cost a round trip
  exchange.headers.reset(list);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.call.body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, exchange.call.body.data());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, exchange.error);
  curl_easy_setopt(handle, CURLOPT_PRIVATE, &exchange);
}

class CurlTransport final : public HttpTransport {
 public:
  explicit CurlTransport(CURLM* multi) : multi_(multi) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMostConnections);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }
  ~CurlTransport() override {
    CurlTransport::CancelAll();
    idle_.clear();
    curl_multi_cleanup(multi_);
  }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  void Submit(HttpCall call) override {
    auto exchange = std::make_unique<Exchange>();
    exchange->call = std::move(call);
    exchange->answer.id = exchange->call.id;
    exchange->handle = TakeHandle(exchange->call.target);
    SetCall(*exchange);
    CURL* handle = exchange->handle.get();
    if (curl_multi_add_handle(multi_, handle) != CURLM_OK) {
      exchange->answer.failure = TransportFailure::kOther;
      exchange->answer.error = "libcurl refused the request";
      refused_.push_back(std::move(exchange->answer));
      return;
    }
    under_way_.emplace(handle, std::move(exchange));
  }

  std::vector<HttpAnswer> Poll(std::chrono::milliseconds wait) override {
    const auto until = std::chrono::steady_clock::now() + wait;
    std::vector<HttpAnswer> answers = std::exchange(refused_, {});
    bool woken = false;
    while (true) {
      RunTimer();
      Collect(answers);
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      const bool done = !answers.empty() || woken;
      for (const SocketWatch::Ready& ready :
           watch_.Wait(done ? std::chrono::milliseconds(0) : Sooner(left), woken)) {
        const int what = (ready.readable ? CURL_CSELECT_IN : 0) | (ready.writable ? CURL_CSELECT_OUT : 0) |
                         (ready.failed ? CURL_CSELECT_ERR : 0);
        int running = 0;
        curl_multi_socket_action(multi_, ready.fd, what, &running);
      }
      Collect(answers);
      if (!answers.empty() || woken || left.count() <= 0) return answers;
    }
  }

  void Wake() override { watch_.Wake(); }

  void CancelAll() override {
    for (auto& [handle, exchange] : under_way_) curl_multi_remove_handle(multi_, handle);
    under_way_.clear();
    refused_.clear();
  }

 private:
  static int OnSocket(CURL*, curl_socket_t fd, int what, void* context, void*) {
    auto& self = *static_cast<CurlTransport*>(context);
    self.watch_.Want(fd, what == CURL_POLL_IN || what == CURL_POLL_INOUT,
                     what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
    return 0;
  }
  static int OnTimer(CURLM*, long wait, void* context) {
    auto& timer = static_cast<CurlTransport*>(context)->timer_;
    timer.reset();
    if (wait >= 0) timer = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait);
    return 0;
  }
  static curl_socket_t OnOpen(void* context, curlsocktype, curl_sockaddr* address) {
    const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0) static_cast<CurlTransport*>(context)->watch_.OnOpen(fd);
    return fd;
  }
  static int OnClose(void* context, curl_socket_t fd) {
    static_cast<CurlTransport*>(context)->watch_.OnClose(fd);
    return close(fd);
  }

  void RunTimer() {
    if (!timer_ || *timer_ > std::chrono::steady_clock::now()) return;
    timer_.reset();
    int running = 0;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  // `left`, or less when libcurl's timer ends before.
  std::chrono::milliseconds Sooner(std::chrono::milliseconds left) const {
    if (!timer_) return left;
    return std::min(left,
                    std::chrono::ceil<std::chrono::milliseconds>(*timer_ - std::chrono::steady_clock::now()));
  }

  HandlePtr TakeHandle(const std::shared_ptr<const HttpTarget>& target) {
    const auto known = std::find_if(idle_.rbegin(), idle_.rend(),
                                    [&](const IdleHandle& idle) { return idle.target == target; });
    if (known != idle_.rend()) {
      HandlePtr handle = std::move(known->handle);
      idle_.erase(std::next(known).base());
      return handle;
    }
    HandlePtr handle;
    if (idle_.size() < kMostIdleHandles) {
      handle.reset(curl_easy_init());
    } else {
      handle = std::move(idle_.front().handle);
      idle_.erase(idle_.begin());
      curl_easy_reset(handle.get());
    }
    SetTarget(handle.get(), *target);
    curl_easy_setopt(handle.get(), CURLOPT_OPENSOCKETFUNCTION, OnOpen);
    curl_easy_setopt(handle.get(), CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(handle.get(), CURLOPT_CLOSESOCKETFUNCTION, OnClose);
    curl_easy_setopt(handle.get(), CURLOPT_CLOSESOCKETDATA, this);
    return handle;
  }

  void Collect(std::vector<HttpAnswer>& answers) {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* handle = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto found = under_way_.find(handle);
      Exchange& exchange = *found->second;
      Conclude(exchange, code);
      answers.push_back(std::move(exchange.answer));
      curl_multi_remove_handle(multi_, handle);
      curl_easy_setopt(handle, CURLOPT_ERRORBUFFER,
                       nullptr);  // it ends with the exchange, the handle does not
      if (idle_.size() < kMostIdleHandles)
        idle_.push_back({std::move(exchange.handle), exchange.call.target});
      under_way_.erase(found);
    }
  }

  static void Conclude(Exchange& exchange, CURLcode code) {
    HttpAnswer& answer = exchange.answer;
    long status = 0;
    curl_easy_getinfo(exchange.handle.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_off_t took = 0;
    curl_easy_getinfo(exchange.handle.get(), CURLINFO_TOTAL_TIME_T, &took);
    answer.took = std::chrono::microseconds(took);
    const bool cut_short = code == CURLE_WRITE_ERROR && answer.body.size() == kMostAnswer;
    if (code == CURLE_OK || cut_short) {
      answer.status = static_cast<int>(status);
      return;
    }
    answer.failure = FailureOf(code);
    if (exchange.head_size > kMostHead) {
      answer.error = "the head of the answer is longer than 64 KiB";
      return;
    }
    if (code == CURLE_OUT_OF_MEMORY) {  // libcurl's word for a line of more than 100 KB, too
      answer.error = "a line of the answer's head is too long, or no memory is left";
      return;
    }
    const std::string_view words = exchange.error[0] != '\0' ? exchange.error : curl_easy_strerror(code);
    answer.error = EscapeControls(CutUtf8(words, 300));
  }

  CURLM* multi_;
  SocketWatch watch_;
  std::optional<std::chrono::steady_clock::time_point> timer_;  // libcurl's next own deadline
  std::unordered_map<CURL*, std::unique_ptr<Exchange>> under_way_;
  std::vector<IdleHandle> idle_;  // the latest used last
  std::vector<HttpAnswer> refused_;
};

}  // namespace
}  // namespace tw::webhook

extern "C" __attribute__((visibility("default"))) tw::webhook::HttpTransport* tw_make_http_transport() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return nullptr;
  CURLM* multi = curl_multi_init();
  return multi == nullptr ? nullptr : new tw::webhook::CurlTransport(multi);
}
