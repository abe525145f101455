// Whole requests to the callback listener: first line, header lines, an empty line, body. Nothing may be
// decided or shown without a credential, whatever the head looks like; every answer is one of the manual's
// and clean.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/url.h"
#include "callback/callback_handler.h"
#include "callback/headers.h"
#include "callback/mhd/request_head.h"
#include "callback/name_folding.h"
#include "callback/policy.h"
#include "fakes/fake_clock.h"
#include "fuzz.h"

namespace {

using namespace tw;
using namespace tw::callback;

constexpr std::string_view kPassword = "canary-password-1";
constexpr std::string_view kToken = "canary-token-2";
constexpr std::string_view kCallerToken = "canary-token-3";
constexpr std::string_view kHmac = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";  // test vector of signing.md
constexpr std::array kCredentials = {kPassword, kToken, kCallerToken, kHmac};
constexpr std::int64_t kNow = 1614265330;
constexpr std::array kStatuses = {200, 400, 401, 403, 404, 405, 409, 413, 415, 429, 502, 503, 504};

class Service final : public DecisionService {
 public:
  bool Ready() override { return true; }
  Result<std::optional<access::AccessRequest>> Look(const std::string& id,
                                                    const access::CallLimits&) override {
    FUZZ_CHECK(UsableId(id));
    access::AccessRequest request;
    request.id = id;
    request.user = "alice";
    request.roles = {"dba"};
    request.state = access::RequestState::kPending;
    return std::optional(std::move(request));
  }
  Result<access::DecisionOutcome> Decide(const access::Decision& decision,
                                         const access::CallLimits&) override {
    last = decision;
    return access::DecisionOutcome{decision.state, true};
  }
  std::string WebUrl(const std::string&) override { return {}; }

  std::optional<access::Decision> last;
};

class Memory final : public ReplayMemory {
 public:
  Result<std::optional<RememberedAnswer>> Find(const std::string&, const std::string&) override {
    return std::optional<RememberedAnswer>();
  }
  Status Save(const std::string&, const std::string&, const RememberedAnswer&, SystemTime) override {
    return {};
  }
};

class Audit final : public AuditLog {
 public:
  Status Append(const AuditRecord& record) override {
    FUZZ_CHECK(IsUtf8(record.request_id) && record.request_id.size() <= 256);
    FUZZ_CHECK(fuzz::Harmless(record.delegator) && fuzz::Harmless(record.client) && !record.result.empty());
    return {};
  }
  Status Ready() override { return {}; }
};

class Observer final : public CallbackObserver {
 public:
  void OnCallback(std::string_view result) override { FUZZ_CHECK(fuzz::Harmless(result)); }
};

class Log final : public Logger {
 public:
  void Write(LogLevel, std::string_view, std::span<const LogField> fields) override {
    for (const LogField& field : fields) {
      for (const std::string_view secret : kCredentials)
        FUZZ_CHECK(field.value.find(secret) == std::string::npos);
    }
  }
};

struct World {
  Service service;
  Memory memory;
  Audit audit;
  Observer observer;
  fakes::FakeClock clock{SystemTime(std::chrono::seconds(kNow))};
  Log log;
  std::unique_ptr<CallbackHandler> handler;

  World() {
    config::HttpSettings http;
    http.public_addr = "https://hooks.example.com";
    http.basic_user = "portal";
    http.basic_password = Secret(std::string(kPassword));
    http.bearer_token = Secret(std::string(kToken));
    http.rate_limit = std::nullopt;
    http.trusted_proxies = {"192.0.2.0/24"};
    config::CallbackSettings callback;
    callback.delegator = config::DelegatorSource::kBody;
    callback.secret = Secret(std::string(kHmac));
    config::CallerSettings caller;
    caller.name = "crm";
    caller.bearer_token = Secret(std::string(kCallerToken));
    caller.decisions = {"deny"};
    callback.callers.push_back(caller);
    handler = *CallbackHandler::Make(http, callback, {service, memory, audit, observer, clock, log});
  }
};

HttpRequest Read(std::string_view rest) {
  HttpRequest request;
  request.peer = "192.0.2.7";
  request.tls = true;
  const std::string_view first = fuzz::TakeLine(rest);
  const auto blank = first.find(' ');
  request.method = std::string(first.substr(0, blank));
  if (blank != std::string_view::npos) request.target = std::string(first.substr(blank + 1));
  while (!rest.empty()) {
    const std::string_view line = fuzz::TakeLine(rest);
    if (line.empty()) break;
    const auto colon = line.find(':');
    request.headers.emplace_back(line.substr(0, colon),
                                 colon == std::string_view::npos ? "" : Trim(line.substr(colon + 1)));
  }
  request.body = std::string(rest);
  return request;
}

// A credential where the name of a request or of a person belongs comes back in answer and log, as all that
// the client calls them: such a request proves nothing.
bool CredentialForName(const HttpRequest& request) {
  const std::string path = request.target.substr(0, request.target.find_first_of("?#"));
  const std::array names = {request.method, path, PercentDecode(path), request.body};
  return std::any_of(names.begin(), names.end(), [](std::string_view text) {
    return std::any_of(kCredentials.begin(), kCredentials.end(), [text](std::string_view secret) {
      return text.find(secret) != std::string_view::npos;
    });
  });
}

// Does the request hold anything at all that could open the door? Weaker than the rules on purpose.
bool HoldsCredential(const HttpRequest& request) {
  std::vector<crypto::HeaderView> headers;
  for (const auto& [name, value] : request.headers) headers.emplace_back(name, value);
  for (const std::string_view value : FindHeaders(request, "authorization")) {
    const std::string_view last = value.substr(value.rfind(' ') + 1);
    if (last == kToken || last == kCallerToken) return true;
    if (Base64Decode(last) == "portal:" + std::string(kPassword)) return true;
  }
  const crypto::WebhookKey key = *crypto::WebhookKey::ForVerifying(kHmac, crypto::WebhookScheme::kStandard);
  return crypto::VerifyWebhook(crypto::WebhookScheme::kStandard, {&key, 1}, headers, request.body,
                               SystemTime(std::chrono::seconds(kNow))) == crypto::SignatureVerdict::kValid;
}

bool HasHeader(const HttpResponse& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& one) { return one.first == name; });
}

void CheckResponse(const HttpResponse& response) {
  FUZZ_CHECK(std::find(kStatuses.begin(), kStatuses.end(), response.status) != kStatuses.end());
  for (const auto& [name, value] : response.headers)
    FUZZ_CHECK(fuzz::Harmless(name) && fuzz::Harmless(value));
  FUZZ_CHECK(response.body.empty() || nlohmann::json::accept(response.body));
  FUZZ_CHECK((response.status == 401) == HasHeader(response, "WWW-Authenticate"));
  FUZZ_CHECK((response.status == 405) == HasHeader(response, "Allow"));
  for (const std::string_view secret : kCredentials) {
    FUZZ_CHECK(response.body.find(secret) == std::string::npos);
  }
}

void CheckDecision(const access::Decision& decision, const HttpRequest& request, const Route& route) {
  FUZZ_CHECK(HoldsCredential(request) && request.method == "POST");
  FUZZ_CHECK(UsableId(decision.request_id));
  FUZZ_CHECK(route.kind == RouteKind::kLegacy || decision.request_id == route.request_id);
  FUZZ_CHECK(route.kind != RouteKind::kApprove || decision.state == access::RequestState::kApproved);
  FUZZ_CHECK(route.kind != RouteKind::kDeny || decision.state == access::RequestState::kDenied);
  FUZZ_CHECK(decision.delegator.starts_with("webhooks:") && fuzz::Harmless(decision.delegator));
  const std::string names[] = {decision.delegator};
  FUZZ_CHECK(!IsRequester("alice", names));
}

void CheckFramingOf(const HttpRequest& request) {
  constexpr std::size_t kMost = 1000;
  if (CheckFraming(request, "HTTP/1.1", kMost) != FramingVerdict::kGood) return;
  for (const auto& [name, value] : request.headers) {
    FUZZ_CHECK(!name.empty() && name.find_first_of(" \t:\r\n") == std::string::npos);
    FUZZ_CHECK(value.find_first_of("\r\n") == std::string::npos);
  }
  const auto lengths = FindHeaders(request, "content-length");
  FUZZ_CHECK(FindHeaders(request, "host").size() == 1 && lengths.size() <= 1);
  FUZZ_CHECK(lengths.empty() || FindHeaders(request, "transfer-encoding").empty());
  if (lengths.empty()) return;
  FUZZ_CHECK(!lengths[0].empty() && lengths[0].find_first_not_of("0123456789") == std::string_view::npos);
  FUZZ_CHECK(std::stoull(std::string(lengths[0])) <= kMost);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const HttpRequest request = Read(fuzz::AsText(data, size));
  CheckFramingOf(request);
  if (CredentialForName(request)) return 0;
  world.service.last.reset();
  const HttpResponse response = world.handler->Handle(request, {});
  CheckResponse(response);
  const Route route = FindRoute(request.method, request.target);
  if (world.service.last) CheckDecision(*world.service.last, request, route);
  if (route.kind == RouteKind::kShow && response.status == 200) FUZZ_CHECK(HoldsCredential(request));
  FUZZ_CHECK(FoldName(FoldName(request.target)) == FoldName(request.target));
  return 0;
}
