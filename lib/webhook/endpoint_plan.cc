#include "webhook/endpoint_plan.h"

#include <fmt/format.h>

#include "base/text.h"
#include "webhook/payload.h"

namespace tw::webhook {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

std::shared_ptr<const HttpTarget> MakeTarget(const config::EndpointSettings& settings) {
  auto target = std::make_shared<HttpTarget>();
  target->url = Secret(settings.url.WithoutUserInfo());
  target->ca_file = settings.ca_file;
  target->cert_file = settings.cert_file;
  target->key_file = settings.key_file;
  target->insecure_skip_verify = settings.insecure_skip_verify;
  target->proxy_url = Secret(settings.proxy_url);
  target->timeout = settings.timeout;
  // A proxy of the environment stands outside this machine and must not see what is meant for it.
  target->direct = settings.proxy_url.empty() && IsLoopbackHost(settings.url.host);
  return target;
}

std::string Basic(std::string_view user, const Secret& password) {
  return "Basic " + Base64Encode(fmt::format("{}:{}", user, password.Reveal()));
}

Headers FixedHeaders(const config::EndpointSettings& settings, const std::string& user_agent) {
  Headers headers;
  bool own_agent = false;
  for (const config::Header& header : settings.headers) {
    headers.emplace_back(header.name, header.value.Reveal());
    own_agent |= AsciiLower(header.name) == "user-agent";
  }
  if (!own_agent) headers.emplace(headers.begin(), "User-Agent", user_agent);
  if (!settings.bearer_token.empty()) {
    headers.emplace_back("Authorization", fmt::format("Bearer {}", settings.bearer_token.Reveal()));
  } else if (!settings.basic_user.empty()) {
    headers.emplace_back("Authorization", Basic(settings.basic_user, settings.basic_password));
  } else if (!settings.url.user.empty()) {
    headers.emplace_back("Authorization", Basic(settings.url.user, settings.url.password));
  }
  return headers;
}

Result<std::shared_ptr<jq::Program>> Compile(const std::optional<config::JqText>& text,
                                             jq::Compiler* compiler) {
  if (!text) return std::shared_ptr<jq::Program>();
  if (compiler == nullptr) return Error::Config(text->origin + ": jq programs are not available here");
  auto program = compiler->Compile(text->program, text->origin);
  if (!program) return program.error();
  return std::shared_ptr<jq::Program>(std::move(*program));
}

}  // namespace

Result<EndpointPlan> EndpointPlan::Make(const config::EndpointSettings& settings, BodyContext context,
                                        std::string user_agent, jq::Compiler* compiler) {
  if (!settings.url.https() && !settings.allow_http && !IsLoopbackHost(settings.url.host)) {
    return Error::Config(
        fmt::format("endpoint {}: {} would send in the clear", settings.name, settings.url.Redacted()),
        "write https://, or set allow_http = true if the way there is protected otherwise");
  }
  EndpointPlan plan;
  plan.settings_ = settings;
  plan.context_ = std::move(context);
  plan.target_ = MakeTarget(settings);
  plan.fixed_headers_ = FixedHeaders(settings, user_agent);
  const auto scheme = settings.signature == config::SignatureScheme::kGithub
                          ? crypto::WebhookScheme::kGithub
                          : crypto::WebhookScheme::kStandard;
  for (const Secret& secret : settings.secrets) {
    auto key = crypto::WebhookKey::ForSigning(secret.Reveal(), scheme);
    if (!key) return key.error().Within(fmt::format("endpoint {}: secret", settings.name));
    plan.keys_.push_back(std::move(*key));
  }
  auto transform = Compile(settings.transform, compiler);
  if (!transform) return transform.error();
  plan.transform_ = std::move(*transform);
  return plan;
}

Result<HttpCall> EndpointPlan::Build(std::uint64_t call_id, std::string_view webhook_id,
                                     std::string_view event_json, SystemTime now) const {
  if (!crypto::IsWebhookId(webhook_id)) return Error::Usage("the event's id cannot be a webhook-id");
  std::optional<std::string> shaped;
  if (transform_) {
    auto only = transform_->Only(event_json);
    if (!only) return only.error();
    shaped = std::move(*only);
  }
  auto payload = MakePayload(settings_.payload, event_json, context_, std::move(shaped));
  if (!payload) return payload.error();

  HttpCall call;
  call.id = call_id;
  call.target = target_;
  call.headers.reserve(fixed_headers_.size() + payload->headers.size() + 4);
  call.headers.emplace_back("Content-Type", payload->content_type);
  for (auto& header : payload->headers) call.headers.push_back(std::move(header));
  const std::int64_t timestamp = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  call.headers.emplace_back(crypto::kWebhookIdHeader, webhook_id);
  call.headers.emplace_back(crypto::kWebhookTimestampHeader, std::to_string(timestamp));
  if (!keys_.empty()) {
    if (settings_.signature == config::SignatureScheme::kGithub) {
      call.headers.emplace_back(crypto::kGithubSignatureHeader,
                                crypto::SignGithub(keys_.front(), payload->body));
    } else {
      call.headers.emplace_back(crypto::kWebhookSignatureHeader,
                                crypto::SignStandard(keys_, webhook_id, timestamp, payload->body));
    }
  }
  call.headers.insert(call.headers.end(), fixed_headers_.begin(), fixed_headers_.end());
  call.body = std::move(payload->body);
  return call;
}

}  // namespace tw::webhook
