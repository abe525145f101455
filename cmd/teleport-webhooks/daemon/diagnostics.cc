#include "daemon/diagnostics.h"

#include "base/text.h"

namespace tw::daemon {
namespace {

using callback::HttpResponse;

HttpResponse Text(int status, std::string body) {
  return {status,
          {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
          std::move(body),
          false};
}

}  // namespace

HttpResponse Diagnostics::Handle(const callback::HttpRequest& request, std::stop_token) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (path != "/livez" && path != "/readyz" && path != "/metrics") return Text(404, "not found\n");
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = Text(405, "method not allowed\n");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  if (path == "/metrics") {
    return {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics_text_(), false};
  }
  if (path == "/livez") {
    const bool hung = clock_.Steady() - health_.last_alive() > kHung;
    return hung ? Text(503, "a loop of the daemon shows no sign of life\n") : Text(200, "ok\n");
  }
  const auto obstacles = health_.Obstacles();
  if (obstacles.empty()) return Text(200, "ready\n");
  std::string body;
  for (const std::string& obstacle : obstacles) body += "not ready: " + EscapeControls(obstacle) + "\n";
  return Text(503, std::move(body));
}

HttpResponse Diagnostics::Refuse(const callback::HttpRequest&, int status, std::string_view reason) {
  return Text(status, std::string(reason) + "\n");
}

}  // namespace tw::daemon
