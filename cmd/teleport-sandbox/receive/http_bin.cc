#include "receive/http_bin.h"

#include <civetweb.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tw::sandbox {
namespace {

constexpr const char* kThreads = "48";
constexpr const char* kIdleMillis = "30000";
constexpr std::chrono::seconds kLongestAnswer{5};  // to a client that does not read it

Incoming ReadHead(const mg_request_info& info) {
  Incoming incoming;
  incoming.method = info.request_method;
  incoming.path = info.request_uri != nullptr ? info.request_uri : "";
  if (info.query_string != nullptr) incoming.path += "?" + std::string(info.query_string);
  incoming.version = info.http_version != nullptr ? info.http_version : "";
  for (int i = 0; i < info.num_headers; ++i) {
    incoming.headers.emplace_back(info.http_headers[i].name, info.http_headers[i].value);
  }
  return incoming;
}

// False: over the limit.
bool ReadBody(mg_connection* connection, std::string& body) {
  std::array<char, 16384> buffer;
  for (;;) {
    const int n = mg_read(connection, buffer.data(), buffer.size());
    if (n <= 0) return true;
    if (body.size() + static_cast<std::size_t>(n) > kMaxBody) return false;
    body.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

void Send(mg_connection* connection, const Reply& reply, bool close) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n", reply.status,
                  mg_get_response_code_text(connection, reply.status), reply.content_type, reply.body.size());
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  head += close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
  head += reply.body;
  mg_write(connection, head.data(), head.size());
}

}  // namespace

struct HttpBin::Impl {
  Handler handler;
  mg_context* context = nullptr;
  std::mutex mutex;
  std::condition_variable none_under_way;
  int under_way = 0;
  bool ending = false;

  static int Serve(mg_connection* connection) {
    const mg_request_info* info = mg_get_request_info(connection);
    auto* self = static_cast<Impl*>(info->user_data);
    Incoming incoming = ReadHead(*info);
    const bool whole = ReadBody(connection, incoming.body);
    Reply reply;
    const bool handled = whole && self->Enter();
    if (handled) {
      reply = self->handler(std::move(incoming));
    } else {
      reply.status = whole ? 503 : 413;
    }
    Send(connection, reply, !handled);
    if (handled) self->Leave();
    return reply.status;
  }

  bool Enter() {
    std::lock_guard lock(mutex);
    if (!ending) ++under_way;
    return !ending;
  }
  void Leave() {
    std::lock_guard lock(mutex);
    if (--under_way == 0) none_under_way.notify_all();
  }
  // What was handled is answered: civetweb writes nothing any more once it was told to stop.
  void End() {
    {
      std::unique_lock lock(mutex);
      ending = true;
      none_under_way.wait_for(lock, kLongestAnswer, [this] { return under_way == 0; });
    }
    mg_stop(context);
  }

  static int Silence(const mg_connection*, const char*) { return 1; }
};

HttpBin::HttpBin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpBin::~HttpBin() {
  impl_->End();
}

Result<std::unique_ptr<HttpBin>> HttpBin::Start(const Address& address, Handler handler) {
  if (!IsLoopbackHost(address.host)) {
    return Error::Usage(fmt::format("{} is not a loopback address", address.Text()),
                        "the request bin has no authentication and no TLS; listen on 127.0.0.1");
  }
  auto impl = std::make_unique<Impl>();
  impl->handler = std::move(handler);
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  const std::string where = Address{host, address.port}.Text();
  mg_callbacks callbacks{};
  callbacks.begin_request = &Impl::Serve;
  callbacks.log_message = &Impl::Silence;
  const char* options[] = {"listening_ports",
                           where.c_str(),
                           "num_threads",
                           kThreads,
                           "decode_url",
                           "no",
                           "enable_keep_alive",
                           "yes",
                           "tcp_nodelay",
                           "1",
                           "keep_alive_timeout_ms",
                           kIdleMillis,
                           "request_timeout_ms",
                           kIdleMillis,
                           nullptr};
  impl->context = mg_start(&callbacks, impl.get(), options);
  if (impl->context == nullptr) {
    return Error::Failure(fmt::format("cannot listen on {}", where), "another program may have that port");
  }
  return std::unique_ptr<HttpBin>(new HttpBin(std::move(impl)));
}

std::uint16_t HttpBin::port() const {
  mg_server_port ports[1];
  return mg_get_server_ports(impl_->context, 1, ports) == 1 ? static_cast<std::uint16_t>(ports[0].port)
                                                            : std::uint16_t{0};
}

}  // namespace tw::sandbox
