// The rows of the key table. Rules: product.md section 7; original values: original-plugin.md A.7.
#include "config/keys.h"

namespace tw::config {
namespace {

void Put(std::string& field, const Setting& value) {
  field = value.text;
}
void Put(Secret& field, const Setting& value) {
  field = Secret(value.text);
}
void Put(bool& field, const Setting& value) {
  field = value.number != 0;
}
void Put(int& field, const Setting& value) {
  field = static_cast<int>(value.number);
}
void Put(std::size_t& field, const Setting& value) {
  field = static_cast<std::size_t>(value.number);
}
void Put(milliseconds& field, const Setting& value) {
  field = milliseconds(value.number);
}
void Put(std::optional<double>& field, const Setting& value) {
  field = value.rate;
}
void Put(std::vector<std::string>& field, const Setting& value) {
  field = value.texts;
}
void Put(std::optional<JqText>& field, const Setting& value) {
  field = JqText{value.text, value.origin};
}
template <class E>
requires std::is_enum_v<E>
void Put(E& field, const Setting& value) {
  field = static_cast<E>(value.number);
}

template <class Root>
Root& Walk(Root& root) {
  return root;
}
template <class Root, class Step, class... Rest>
auto& Walk(Root& root, Step step, Rest... rest) {
  return Walk(root.*step, rest...);
}

template <auto... Path>
void Global(Sink& sink, const Setting& value) {
  Put(Walk(*sink.settings, Path...), value);
}
template <auto... Path>
void Endpoint(Sink& sink, const Setting& value) {
  Put(Walk(*sink.endpoint, Path...), value);
}
template <auto Field>
void Caller(Sink& sink, const Setting& value) {
  Put(sink.caller->*Field, value);
}

void StoreHeaders(Sink& sink, const Setting& value) {
  for (const auto& [name, text] : value.pairs) sink.endpoint->headers.push_back({name, Secret(text)});
}
void StoreSecret(Sink& sink, const Setting& value) {
  sink.endpoint->secrets.insert(sink.endpoint->secrets.begin(), Secret(value.text));
}
void StoreOldSecrets(Sink& sink, const Setting& value) {
  for (const std::string& text : value.texts) sink.endpoint->secrets.emplace_back(text);
}
void StoreUrl(Sink& sink, const Setting& value) {
  Url url = ParseUrl(value.text).value_or(Url{});
  // User info is basic authentication; it is kept in one place only.
  if (!url.user.empty()) {
    sink.endpoint->basic_user = std::exchange(url.user, {});
    sink.endpoint->basic_password = std::exchange(url.password, Secret());
  }
  sink.endpoint->url = std::move(url);
}
void StoreDelegator(Sink& sink, const Setting& value) {
  sink.settings->callback.delegator = static_cast<DelegatorSource>(value.number);
  sink.settings->callback.fixed_delegator = value.text;
}
void StorePublicAddr(Sink& sink, const Setting& value) {
  sink.settings->http.public_addr = value.text;
  if (value.pairs.empty()) return;
  sink.settings->http.basic_user = value.pairs[0].first;
  sink.settings->http.basic_password = Secret(value.pairs[0].second);
}
void StoreNothing(Sink&, const Setting&) {}

using S = Settings;
using T = TeleportSettings;
using E = EndpointSettings;
using H = HttpSettings;
using C = CallbackSettings;
using K = CallerSettings;
using V = ValueType;
constexpr unsigned kO = KeySpec::kOriginal;
constexpr unsigned kUrlSecret = KeySpec::kMayHoldSecret;

constexpr std::string_view kPayloads = "legacy|event|cloudevents|cloudevents-binary|form";

constexpr KeySpec kTable[] = {
    {"teleport", "addr", V::kAddress, "localhost:3025", 0, Global<&S::teleport, &T::addr>, "",
     "Auth Service or proxy, host:port"},
    {"teleport", "auth_server", V::kAddress, "", kO, StoreNothing, "", "the original's name of addr", "addr"},
    {"teleport", "client_key", V::kPath, "", kO, Global<&S::teleport, &T::client_key>, "",
     "private key of the client certificate (PEM)"},
    {"teleport", "client_crt", V::kPath, "", kO, Global<&S::teleport, &T::client_crt>, "",
     "client certificate (PEM)"},
    {"teleport", "root_cas", V::kPath, "", kO, Global<&S::teleport, &T::root_cas>, "",
     "certificate authorities of the cluster (PEM)"},
    {"teleport", "identity", V::kPath, "", 0, Global<&S::teleport, &T::identity>, "",
     "identity file of tctl auth sign or tbot, in place of the three files"},
    {"teleport", "route", V::kChoice, "auto", 0, Global<&S::teleport, &T::route>,
     "auto|auth|proxy|proxy-upgrade", "how addr is reached"},
    {"teleport", "proxy_url", V::kProxyUrl, "", kUrlSecret, Global<&S::teleport, &T::proxy_url>, "",
     "HTTP CONNECT proxy; default: HTTPS_PROXY and NO_PROXY"},
    {"teleport", "refresh_interval", V::kDuration, "1m", 0, Global<&S::teleport, &T::refresh_interval>,
     "1s..24h", "how often credentials are read again besides on change"},
    {"teleport", "connect_timeout", V::kDuration, "10s", 0, Global<&S::teleport, &T::connect_timeout>,
     "100ms..10m", "time limit of one connection attempt"},
    {"teleport", "fail_fast", V::kBool, "false", 0, Global<&S::teleport, &T::fail_fast>, "",
     "end instead of retrying when Teleport is unreachable at start"},

    {"webhook", "webhook_url", V::kUrl, "", kO | kUrlSecret, StoreUrl, "", "receiver of the webhooks"},
    {"webhook", "notify_only", V::kBool, "false", kO, Global<&S::notify_only>, "", "no callback listener"},
    {"webhook", "request_statuses", V::kStates, "", kO, StoreNothing, "",
     "the original's other name of request_states", "request_states"},
    {"webhook", "callback_secret", V::kSecret, "", kO, Global<&S::callback, &C::secret>, "",
     "verifies the signature of callbacks"},
    {"endpoint", "name", V::kName, "", 0, Endpoint<&E::name>, "", "name in log, metrics and --endpoint"},
    {"endpoint", "url", V::kUrl, "", kUrlSecret, StoreUrl, "", "receiver of the webhooks"},

    {"delivery", "request_states", V::kStates, "[\"Pending\"]", kO, Endpoint<&E::request_states>,
     "Pending|Approved|Denied|Promoted|Deleted|Expired|*", "states that are sent"},
    {"delivery", "events", V::kEvents, "", 0, Endpoint<&E::events>, "",
     "event types that are sent; default: all"},
    {"delivery", "payload", V::kChoice, "legacy", 0, Endpoint<&E::payload>, kPayloads, "shape of the body"},
    {"delivery", "secret", V::kSecret, "", 0, StoreSecret, "", "signs the webhooks"},
    {"delivery", "old_secrets", V::kSecrets, "", 0, StoreOldSecrets, "",
     "secrets being rotated out; they sign as well"},
    {"delivery", "signature", V::kChoice, "standard", 0, Endpoint<&E::signature>, "standard|github",
     "signature scheme"},
    {"delivery", "headers", V::kHeaders, "", 0, StoreHeaders, "", "extra request headers"},
    {"delivery", "bearer_token", V::kSecret, "", 0, Endpoint<&E::bearer_token>, "",
     "bearer token for the receiver"},
    {"delivery", "basic_user", V::kText, "", 0, Endpoint<&E::basic_user>, "",
     "basic authentication at the receiver"},
    {"delivery", "basic_password", V::kSecret, "", 0, Endpoint<&E::basic_password>, "", "its password"},
    {"delivery", "ca_file", V::kPath, "", 0, Endpoint<&E::ca_file>, "",
     "certificate authorities of the receiver; default: the system's"},
    {"delivery", "cert_file", V::kPath, "", 0, Endpoint<&E::cert_file>, "",
     "client certificate for the receiver"},
    {"delivery", "key_file", V::kPath, "", 0, Endpoint<&E::key_file>, "", "its private key"},
    {"delivery", "insecure_skip_verify", V::kBool, "false", 0, Endpoint<&E::insecure_skip_verify>, "",
     "do not check the receiver's certificate"},
    {"delivery", "proxy_url", V::kProxyUrl, "", kUrlSecret, Endpoint<&E::proxy_url>, "",
     "proxy for this receiver; default: the usual environment variables"},
    {"delivery", "allow_http", V::kBool, "false", 0, Endpoint<&E::allow_http>, "",
     "allow plain http:// beyond loopback"},
    {"delivery", "timeout", V::kDuration, "10s", 0, Endpoint<&E::timeout>, "100ms..10m",
     "time limit of one attempt"},
    {"delivery", "concurrency", V::kInteger, "16", 0, Endpoint<&E::concurrency>, "1..1024",
     "attempts at the same time"},
    {"delivery", "retry.initial", V::kDuration, "1s", 0, Endpoint<&E::retry, &RetrySettings::initial>,
     "10ms..24h", "first back-off"},
    {"delivery", "retry.max", V::kDuration, "10m", 0, Endpoint<&E::retry, &RetrySettings::max>, "10ms..24h",
     "longest back-off"},
    {"delivery", "retry.max_elapsed", V::kDuration, "24h", 0,
     Endpoint<&E::retry, &RetrySettings::max_elapsed>, "1s..3650d", "from the first attempt until giving up"},
    {"delivery", "breaker.failures", V::kInteger, "5", 0, Endpoint<&E::breaker, &BreakerSettings::failures>,
     "1..1000", "failures in a row that open the breaker"},
    {"delivery", "breaker.max", V::kDuration, "5m", 0, Endpoint<&E::breaker, &BreakerSettings::max>,
     "1s..24h", "longest time between probes"},
    {"delivery", "when", V::kProgram, "", 0, Endpoint<&E::when>, "",
     "jq program: sent unless its first result is false, null or missing"},
    {"delivery", "transform", V::kProgram, "", 0, Endpoint<&E::transform>, "",
     "jq program: its one result is the body"},

    {"http", "listen_addr", V::kListen, ":8081", kO, Global<&S::http, &H::listen_addr>, "",
     "host:port, unix:PATH or systemd"},
    {"http", "public_addr", V::kPublicAddr, "", kO | kUrlSecret, StorePublicAddr, "",
     "where receivers reach the callback listener"},
    {"http", "https_key_file", V::kPath, "", kO, Global<&S::http, &H::https_key_file>, "",
     "private key of the listener (PEM)"},
    {"http", "https_cert_file", V::kPath, "", kO, Global<&S::http, &H::https_cert_file>, "",
     "certificate of the listener (PEM)"},
    {"http", "basic_auth.user", V::kText, "", kO, Global<&S::http, &H::basic_user>, "",
     "basic authentication of callers"},
    {"http", "basic_auth.password", V::kSecret, "", kO, Global<&S::http, &H::basic_password>, "",
     "its password"},
    {"http", "bearer_token", V::kSecret, "", 0, Global<&S::http, &H::bearer_token>, "",
     "bearer token of callers"},
    {"http", "require", V::kChoice, "any", 0, Global<&S::http, &H::require>, "any|all",
     "how many of the configured methods a caller must pass"},
    {"http", "allow_unauthenticated", V::kBool, "false", 0, Global<&S::http, &H::allow_unauthenticated>, "",
     "let anyone who reaches the listener decide"},
    {"http", "trusted_proxies", V::kNetworks, "", 0, Global<&S::http, &H::trusted_proxies>, "",
     "addresses whose X-Forwarded-For is believed"},
    {"http", "tls.verify_client_cert", V::kBool, "false", kO, Global<&S::http, &H::verify_client_cert>, "",
     "demand a client certificate on top of the rest"},
    {"http", "tls.client_ca_file", V::kPath, "", 0, Global<&S::http, &H::client_ca_file>, "",
     "certificate authorities of callers"},
    {"http", "tls.allowed_names", V::kTexts, "", 0, Global<&S::http, &H::allowed_names>, "",
     "names that a client certificate must bear one of"},
    {"http", "max_body", V::kSize, "64KiB", 0, Global<&S::http, &H::max_body>, "1KiB..16MiB",
     "largest callback body"},
    {"http", "request_timeout", V::kDuration, "10s", 0, Global<&S::http, &H::request_timeout>, "100ms..10m",
     "time limit of a callback"},
    {"http", "rate_limit", V::kRate, "20/s", 0, Global<&S::http, &H::rate_limit>, "",
     "requests of one client, or off"},
    {"http", "insecure", V::kBool, "", kO | KeySpec::kIgnored, StoreNothing, "",
     "had no effect in the original and has none now"},

    {"callback", "mode", V::kChoice, "state", 0, Global<&S::callback, &C::mode>, "state|review",
     "set the state, or submit a review"},
    {"callback", "delegator", V::kDelegator, "body", 0, StoreDelegator, "body|auth|fixed:NAME",
     "whose name is recorded"},
    {"callback", "roles", V::kTexts, "", 0, Global<&S::callback, &C::roles>, "",
     "role patterns that callbacks may decide; default: all"},
    {"callback", "users", V::kTexts, "", 0, Global<&S::callback, &C::users>, "",
     "user patterns whose requests callbacks may decide; default: all"},
    {"callback", "require_reason", V::kBool, "false", 0, Global<&S::callback, &C::require_reason>, "",
     "refuse decisions without a reason"},
    {"callback", "deny_self_approval", V::kBool, "true", 0, Global<&S::callback, &C::deny_self_approval>, "",
     "refuse to decide one's own request"},
    {"callback", "signature", V::kChoice, "standard", 0, Global<&S::callback, &C::signature>,
     "standard|github", "signature scheme of callbacks"},
    {"callback.caller", "name", V::kName, "", 0, Caller<&K::name>, "", "name in audit trail and delegator"},
    {"callback.caller", "basic_user", V::kText, "", 0, Caller<&K::basic_user>, "",
     "its basic authentication"},
    {"callback.caller", "basic_password", V::kSecret, "", 0, Caller<&K::basic_password>, "", "its password"},
    {"callback.caller", "bearer_token", V::kSecret, "", 0, Caller<&K::bearer_token>, "", "its bearer token"},
    {"callback.caller", "hmac_secret", V::kSecret, "", 0, Caller<&K::hmac_secret>, "",
     "verifies its signatures"},
    {"callback.caller", "certificate_name", V::kText, "", 0, Caller<&K::certificate_name>, "",
     "name in its client certificate"},
    {"callback.caller", "decisions", V::kDecisions, "", 0, Caller<&K::decisions>, "approve|deny",
     "what it may decide; default: both"},
    {"callback.caller", "roles", V::kTexts, "", 0, Caller<&K::roles>, "", "role patterns it may decide"},
    {"callback.caller", "users", V::kTexts, "", 0, Caller<&K::users>, "",
     "user patterns whose requests it may decide"},

    {"state", "dir", V::kPath, "/var/lib/teleport/plugins/webhooks", 0,
     Global<&S::state, &StateSettings::dir>, "",
     "where requests, deliveries and the audit trail are kept; default also $STATE_DIRECTORY"},
    {"state", "retain", V::kDuration, "168h", 0, Global<&S::state, &StateSettings::retain>, "1m..3650d",
     "how long delivered and dead deliveries are kept"},
    {"state", "on_start", V::kChoice, "pending", 0, Global<&S::state, &StateSettings::on_start>,
     "pending|none", "what a new store sends of the requests that are there"},

    {"diagnostics", "listen_addr", V::kListen, "off", 0, Global<&S::diagnostics_addr>, "",
     "listener of /livez, /readyz and /metrics, or off"},

    {"log", "output", V::kLogOutput, "stderr", kO, Global<&S::log, &LogSettings::output>, "",
     "stderr, stdout or a file"},
    {"log", "severity", V::kSeverity, "INFO", kO, Global<&S::log, &LogSettings::severity>,
     "DEBUG|INFO|WARN|ERROR", "least severe level that is written"},
    {"log", "format", V::kChoice, "text", 0, Global<&S::log, &LogSettings::format>, "text|json",
     "form of a line"},
};

}  // namespace

std::span<const KeySpec> AllSpecs() {
  return kTable;
}

}  // namespace tw::config
