#include "front/web_endpoint.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "front/client_hello.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxHead = 16 * 1024;
constexpr std::chrono::seconds kIdle{30};
constexpr std::chrono::seconds kWriteLimit{10};
constexpr std::string_view kUpgradePath = "/webapi/connectionupgrade";

std::string HttpAnswer(std::string_view status, const std::string& body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", status,
                     body.size(), body);
}

bool WriteAll(int fd, std::string_view bytes, const std::stop_token& stop) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (!WaitFor(fd, POLLOUT, kWriteLimit, stop)) {
      return false;
    }
  }
  return true;
}

// The stream's next bytes, waiting for them. Nullopt: closed, idle or stopped.
std::optional<std::string> Await(TlsStream& stream, const std::stop_token& stop) {
  for (;;) {
    auto bytes = stream.ReadSome();
    if (!bytes) return std::nullopt;
    if (!bytes->empty()) return *std::move(bytes);
    if (!WaitFor(stream.fd(), POLLIN, kIdle, stop)) return std::nullopt;
  }
}

}  // namespace

std::string WebEndpoint::Head::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::optional<WebEndpoint::Head> WebEndpoint::ParseHead(std::string_view text) {
  Head head;
  bool first = true;
  for (const std::string_view raw : Split(text, '\n')) {
    const std::string_view line = Trim(raw);
    if (first) {
      const auto words = Split(line, ' ');
      if (words.size() != 3 || !words[2].starts_with("HTTP/1.")) return std::nullopt;
      head.method = words[0];
      head.path = words[1];
      head.old = words[2] == "HTTP/1.0";
      first = false;
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      head.headers.emplace_back(AsciiLower(line.substr(0, colon)), std::string(Trim(line.substr(colon + 1))));
    }
  }
  return head;
}

std::string WebEndpoint::Find(bool with_auth) const {
  Json ssh{{"listen_addr", "127.0.0.1:3023"},
           {"tunnel_listen_addr", "127.0.0.1:3024"},
           {"web_listen_addr", facts_.public_address},
           {"public_addr", facts_.public_address}};
  Json json;
  if (with_auth) json["auth"] = {{"type", "local"}, {"second_factor", "otp"}};
  json["proxy"] = {{"kube", {{"enabled", false}}}, {"ssh", std::move(ssh)}};
  if (AtLeast(facts_.release, 8)) json["proxy"]["tls_routing_enabled"] = true;
  json["server_version"] = ServerVersion(facts_.release);
  json["min_client_version"] = fmt::format("{}.0.0", static_cast<int>(facts_.release) - 1);
  if (AtLeast(facts_.release, 10)) json["cluster_name"] = facts_.cluster;
  return json.dump();
}

std::string WebEndpoint::Answer(const Head& head) const {
  std::string path = head.path.substr(0, head.path.find('?'));
  if (path.starts_with("/v1/")) path.erase(0, 3);
  if (head.method == "GET" && path == "/webapi/find") return HttpAnswer("200 OK", Find(false));
  if (head.method == "GET" && path == "/webapi/ping") return HttpAnswer("200 OK", Find(true));
  return HttpAnswer("404 Not Found", R"({"error":{"message":"path not found"}})");
}

void WebEndpoint::Serve(TlsStream& stream, std::stop_token stop) const {
  std::string buffer;
  for (;;) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      const auto more = buffer.size() < kMaxHead ? Await(stream, stop) : std::nullopt;
      if (!more) return;
      buffer += *more;
    }
    const auto head = ParseHead(std::string_view(buffer).substr(0, end));
    buffer.erase(0, end + 4);
    if (!head) return;
    const bool upgrade = head->path == kUpgradePath || head->path == "/v1" + std::string(kUpgradePath);
    // The WebSocket form came with 15.1; before, the path is not found for it.
    if (upgrade && AtLeast(facts_.release, 16) && AsciiLower(head->Header("upgrade")) == "websocket") {
      Upgrade(stream, *head, std::move(buffer), std::move(stop));
      return;
    }
    const bool last = head->old || AsciiLower(head->Header("connection")) == "close";
    if (!stream.Write(Answer(*head), kWriteLimit, stop) || last) return;
  }
}

bool WebEndpoint::AcceptsRoute(const std::string& hello_bytes) const {
  ClientHello hello;
  if (ParseClientHello(hello_bytes, hello) != HelloState::kComplete || hello.protocols.empty()) return false;
  return ClusterOfRoute(hello.protocols.front()) == facts_.cluster;
}

void WebEndpoint::Upgrade(TlsStream& stream, const Head& head, std::string rest, std::stop_token stop) const {
  const std::string protocol = head.Header("sec-websocket-protocol");
  const bool pings = protocol == "alpn-ping";
  if (!pings && protocol != "alpn") {
    [[maybe_unused]] const Status ok = stream.Write(
        HttpAnswer("400 Bad Request", R"({"error":{"message":"unsupported upgrade"}})"), kWriteLimit, stop);
    return;
  }
  const std::string answer = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
      WebSocketAccept(head.Header("sec-websocket-key")), protocol);
  if (!stream.Write(answer, kWriteLimit, stop)) return;
  FrameReader reader(AtLeast(facts_.release, 17) ? MaskHabit::kNew : MaskHabit::kOld);
  // The router inside looks at the inner ClientHello before it picks a way.
  std::string inner;
  std::vector<Frame> frames;
  ClientHello hello;
  for (;;) {
    if (!reader.Feed(rest, frames)) return;
    for (const Frame& frame : frames) {
      if (frame.opcode == Opcode::kBinary || frame.opcode == Opcode::kContinuation) inner += frame.payload;
      if (frame.opcode == Opcode::kClose) return;
    }
    frames.clear();
    const HelloState state = ParseClientHello(inner, hello);
    if (state == HelloState::kNotTls) return;
    if (state == HelloState::kComplete) break;
    auto more = Await(stream, stop);
    if (!more) return;
    rest = *std::move(more);
  }
  if (!AcceptsRoute(inner)) return;
  UniqueFd auth = facts_.dial_auth();
  if (auth) Pump(stream, reader, std::move(auth), std::move(inner), pings, std::move(stop));
}

void WebEndpoint::Pump(TlsStream& stream, FrameReader& reader, UniqueFd auth, std::string pending, bool pings,
                       std::stop_token stop) const {
  const MaskHabit habit = AtLeast(facts_.release, 17) ? MaskHabit::kNew : MaskHabit::kOld;
  const auto send = [&](Opcode opcode, std::string_view payload) {
    return stream.Write(EncodeFrame(opcode, payload, habit), kWriteLimit, stop).has_value();
  };
  if (!WriteAll(auth.get(), pending, stop)) return;
  auto next_ping = std::chrono::steady_clock::now() + facts_.ping_interval;
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> fds{{{stream.fd(), POLLIN, 0}, {auth.get(), POLLIN, 0}}};
    if (!stream.Pending()) ::poll(fds.data(), fds.size(), 50);
    if (pings && std::chrono::steady_clock::now() >= next_ping) {
      if (!send(Opcode::kPing, "")) return;
      next_ping += facts_.ping_interval;
    }
    if (fds[0].revents != 0 || stream.Pending()) {
      const auto bytes = stream.ReadSome();
      std::vector<Frame> frames;
      if (!bytes || !reader.Feed(*bytes, frames)) return;
      for (const Frame& frame : frames) {
        if (frame.opcode == Opcode::kClose) return;
        if (frame.opcode == Opcode::kPing && !send(Opcode::kPong, frame.payload)) return;
        const bool data = frame.opcode == Opcode::kBinary || frame.opcode == Opcode::kContinuation;
        if (data && !WriteAll(auth.get(), frame.payload, stop)) return;
      }
    }
    if (fds[1].revents != 0) {
      std::array<char, 16384> buffer;
      const ssize_t n = ::recv(auth.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n == 0) {
        send(Opcode::kClose, "");
        return;
      }
      if (n > 0 && !send(Opcode::kBinary, {buffer.data(), static_cast<std::size_t>(n)})) return;
      if (n < 0 && errno != EAGAIN) return;
    }
  }
}

}  // namespace tw::sandbox
