#include "config/template.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "base/text.h"
#include "config/show.h"

namespace tw::config {
namespace {

constexpr std::size_t kSecretBytes = 32;

constexpr std::string_view kTeleport =
    R"toml(# Configuration of teleport-webhooks. Lines that begin with "# key =" show the default or an example; every key is
# explained in teleport-webhooks.toml(5). `teleport-webhooks check` says what is missing or wrong.

[teleport]
# Auth Service (port 3025), or a proxy's web port (443 or 3080).
addr = {addr}
# Identity file, as tctl auth sign or tbot writes it (configure --kind tbot). Read again when it is replaced.
identity = "/etc/teleport-webhooks/identity"
# In its place, the three files of tctl auth sign --format=tls:
# client_key = "/etc/teleport-webhooks/auth.key"
# client_crt = "/etc/teleport-webhooks/auth.crt"
# root_cas = "/etc/teleport-webhooks/auth.cas"
# auto finds out how addr is reached; auth, proxy or proxy-upgrade force a way.
# route = "auto"
# proxy_url = "http://proxy.internal:3128"
# refresh_interval = "1m"
# connect_timeout = "10s"
# fail_fast = false

[webhook]
# The receiver. Use HTTPS and a server of your own: webhooks tell who asks for which access.
webhook_url = {webhook_url}
{notify_only}
# Which states are sent: Pending, Approved, Denied, Promoted, Deleted, Expired, or "*" for all.
request_states = ["Pending", "Approved", "Denied"]
# Which event types are sent; all by default.
# events = ["created", "approved", "denied"]
# "event" tells everything about a request. Other shapes: legacy (the original's body), cloudevents,
# cloudevents-binary, form.
payload = "event"
# Signs every webhook (Standard Webhooks), so that the receiver can tell ours from forged ones.
# `teleport-webhooks configure --new-secret` makes one.
{secret}
# Secrets being rotated out: webhooks are signed with these too.
# old_secrets_file = "/etc/teleport-webhooks/old-secrets"
# signature = "standard"
# At most one of these ways to authenticate at the receiver:
# bearer_token_file = "/etc/teleport-webhooks/receiver-token"
# headers = {{ "X-Api-Key" = "..." }}
# TLS: certificate authorities of the receiver, and a client certificate for it.
# ca_file = "/etc/teleport-webhooks/receiver-ca.pem"
# proxy_url = "http://proxy.internal:3128"
# allow_http = false
# timeout = "10s"
# concurrency = 16
# retry.initial = "1s"
# retry.max = "10m"
# retry.max_elapsed = "24h"
# breaker.failures = 5
# breaker.max = "5m"
# jq programs over the event: is it sent, and what is the body?
# when = '.data.roles | index("dba")'
# transform = '{{text: "\(.data.user) asks for \(.data.roles | join(", "))"}}'

# More receivers, each with a name, a url and any key of [webhook] about delivery.
# [[endpoint]]
# name = "oncall"
# url = "https://oncall.example.com/teleport"
# payload = "event"
# request_states = ["*"]
)toml";

constexpr std::string_view kCallbacks = R"toml(
# Callbacks: HTTP requests that approve or deny. Whoever may make one decides who gets access.
[http]
listen_addr = ":8081"
# Where receivers reach the listener.
public_addr = {public_addr}
# Certificate of the listener, read again when it changes. Without one a self-signed pair is made.
# https_key_file = "/etc/teleport-webhooks/server.key"
# https_cert_file = "/etc/teleport-webhooks/server.crt"
# More ways for callers to authenticate besides webhook.callback_secret: a bearer token, client certificates, or a
# user and password in [http.basic_auth].
# bearer_token_file = "/etc/teleport-webhooks/caller-token"
# tls.client_ca_file = "/etc/teleport-webhooks/callers-ca.pem"
# "any" of the configured ways is enough, or "all" must be passed.
# require = "any"
# trusted_proxies = ["10.0.0.0/8"]
# max_body = "64KiB"
# request_timeout = "10s"
# rate_limit = "20/s"

[callback]
# "state" decides a request at once; "review" submits one review as the plugin's own user.
# mode = "state"
# Whose name is recorded: "auth" is the name that the caller authenticated with.
delegator = "auth"
# Only requests for these roles, or of these users, may be decided by callbacks.
# roles = ["dba", "dev-*"]
# users = ["*"]
# require_reason = false
# deny_self_approval = true

# Callers with a name, one credential each, and limits of their own.
# [[callback.caller]]
# name = "portal"
# hmac_secret_file = "/etc/teleport-webhooks/portal-secret"
# decisions = ["approve", "deny"]
# roles = ["dev-*"]
)toml";

constexpr std::string_view kRest = R"toml(
[state]
# What must survive a restart. Under systemd the directory of the unit is used.
# dir = "/var/lib/teleport/plugins/webhooks"
# retain = "168h"
# What a new store sends of the requests that are there already: "pending" ones, or "none".
# on_start = "pending"

[diagnostics]
# /livez, /readyz and /metrics, without authentication: keep it on loopback.
# listen_addr = "127.0.0.1:9108"

[log]
# stderr, stdout or a file.
output = "stderr"
severity = "INFO"
# format = "json"
)toml";

std::string Or(const std::string& value, std::string_view placeholder) {
  return TomlQuote(value.empty() ? placeholder : std::string_view(value));
}

std::string SecretLine(std::string_view key, const Secret& secret, std::string_view file) {
  if (!secret.empty()) return fmt::format("{} = {}", key, TomlQuote(secret.Reveal()));
  return fmt::format("{}_file = \"/etc/teleport-webhooks/{}\"", key, file);
}

std::string NotifyOnlyLines(const TemplateOptions& options) {
  if (options.notify_only) return "# No callbacks: requests are decided elsewhere.\nnotify_only = true";
  return fmt::format(
      "# true: no callbacks, requests are decided elsewhere.\n# notify_only = false\n"
      "# Verifies the signature of callbacks. Not the secret below: whoever can check webhooks could "
      "decide.\n{}",
      SecretLine("callback_secret", options.callback_secret, "callback-secret"));
}

}  // namespace

std::string ConfigTemplate(const TemplateOptions& options) {
  std::string out = fmt::format(
      fmt::runtime(kTeleport), fmt::arg("addr", Or(options.addr, "teleport.example.com:443")),
      fmt::arg("webhook_url", Or(options.webhook_url, "https://portal.example.com/hooks/teleport")),
      fmt::arg("notify_only", NotifyOnlyLines(options)),
      fmt::arg("secret", SecretLine("secret", options.secret, "secret")));
  if (!options.notify_only) {
    out += fmt::format(fmt::runtime(kCallbacks),
                       fmt::arg("public_addr", Or(options.public_addr, "https://webhooks.example.com:8081")));
  }
  out += kRest;
  return out;
}

std::string NewSecret(Random& random) {
  std::array<std::byte, kSecretBytes> bytes{};
  random.Fill(bytes);
  return "whsec_" + Base64Encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace tw::config
