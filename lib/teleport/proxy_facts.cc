#include "teleport/proxy_facts.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "base/text.h"
#include "teleport/http_text.h"

namespace tw::teleport {
namespace {

constexpr std::size_t kMaxBody = 64UL * 1024;
constexpr std::size_t kMaxChunkLine = 256;

Error NotAProxy(const std::string& peer) {
  return {ErrorKind::kUnreachable, fmt::format("{} is not a Teleport proxy", peer), "check teleport.addr",
          true};
}

std::optional<std::size_t> Number(std::string_view text, int base) {
  std::size_t out = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return parsed.ec == std::errc() && out <= kMaxBody ? std::optional(out) : std::nullopt;
}

// RFC 9112 section 7.1; the trailer is left unread.
Result<std::string> ReadChunks(int fd, const std::string& peer, Waiter& waiter) {
  std::string out;
  for (;;) {
    const auto line = ReadUntil(fd, "\r\n", kMaxChunkLine, waiter);
    if (!line) return line.error();
    const auto size = Number(*line, 16);
    if (!size || out.size() + *size > kMaxBody) return NotAProxy(peer);
    if (*size == 0) return out;
    const auto chunk = ReadCount(fd, *size + 2, waiter);  // with its line end
    if (!chunk) return chunk.error();
    out.append(*chunk, 0, *size);
  }
}

// What stands in front of a proxy may keep the connection open in spite of what it was asked, so that the
// head tells where the body ends.
Result<std::string> ReadBody(int fd, const HttpHead& head, const std::string& peer, Waiter& waiter) {
  if (AsciiLower(head.Get("transfer-encoding")) == "chunked") return ReadChunks(fd, peer, waiter);
  const auto length = Number(head.Get("content-length"), 10);
  return length ? ReadCount(fd, *length, waiter) : ReadToEnd(fd, kMaxBody, waiter);
}

}  // namespace

std::optional<ProxyFacts> ParseProxyFacts(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object() || (!parsed.contains("proxy") && !parsed.contains("server_version")))
    return std::nullopt;
  const auto text = [&](const char* key) {
    const auto found = parsed.find(key);
    return found != parsed.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const nlohmann::json::json_pointer routing("/proxy/tls_routing_enabled");
  const bool routes = parsed.contains(routing) && parsed.at(routing) == nlohmann::json(true);
  return ProxyFacts{text("cluster_name"), text("server_version"), routes, std::nullopt};
}

Result<ProxyFacts> AskForFacts(int fd, const std::string& peer, Waiter& waiter) {
  // Not HTTP/1.0, which some load balancers (Envoy) refuse.
  const std::string request = fmt::format(
      "GET /webapi/find HTTP/1.1\r\nHost: {}\r\nUser-Agent: teleport-webhooks\r\nAccept: application/json\r\n"
      "Connection: close\r\n\r\n",
      peer);
  if (Status sent = WriteAll(fd, request, waiter); !sent) return sent.error();
  const auto text = ReadUntil(fd, kEndOfHead, kMaxHttpHead, waiter);
  if (!text) return text.error().kind == ErrorKind::kUnreachable ? NotAProxy(peer) : text.error();
  const auto head = ParseHttpHead(*text);
  if (!head) return NotAProxy(peer);
  const auto body = ReadBody(fd, *head, peer, waiter);
  if (!body) return body.error();
  auto facts = ParseProxyFacts(*body);
  if (!facts) return NotAProxy(peer);
  if (const auto date = ParseHttpDate(head->Get("date"))) facts->date = *date;
  return *facts;
}

}  // namespace tw::teleport
