// Settings: the configuration as plain values, validated and with defaults filled in. The rooms that are
// configured by it (teleport, webhook, callback) include this header; they never see files, TOML or
// environment variables. Keys and rules: product.md section 7. Secrets given as `<key>_file` are already
// read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "base/url.h"

namespace tw::config {

using std::chrono::milliseconds;

enum class Route { kAuto, kAuth, kProxy, kProxyUpgrade };

struct TeleportSettings {
  std::string addr = "localhost:3025";
  std::string client_key;  // paths; all three or none
  std::string client_crt;
  std::string root_cas;
  std::string identity;  // path; excludes the three above
  Route route = Route::kAuto;
  std::string proxy_url;  // HTTP CONNECT; empty: HTTPS_PROXY / NO_PROXY of the environment
  milliseconds refresh_interval{60'000};
  milliseconds connect_timeout{10'000};
  bool fail_fast = false;
};

enum class PayloadKind { kLegacy, kEvent, kCloudEvents, kCloudEventsBinary, kForm };
enum class SignatureScheme { kStandard, kGithub };

struct Header {
  std::string name;
  Secret value;
};

// jq program text with the place it came from, for error messages.
struct JqText {
  std::string program;
  std::string origin;  // "teleport-webhooks.toml:12: webhook.when"
};

struct RetrySettings {
  milliseconds initial{1'000};
  milliseconds max{600'000};
  milliseconds max_elapsed{86'400'000};
};

struct BreakerSettings {
  int failures = 5;
  milliseconds max{300'000};
};

// One receiver: `[webhook]` is the endpoint named "default", `[[endpoint]]` adds more.
struct EndpointSettings {
  std::string name = "default";
  Url url;
  // Names as in product.md section 7 (Pending, Approved, Denied, Promoted, Deleted, Expired, *), canonical
  // case.
  std::vector<std::string> request_states{"Pending"};
  std::vector<std::string> events;  // full type names; empty: all
  PayloadKind payload = PayloadKind::kLegacy;
  SignatureScheme signature = SignatureScheme::kStandard;
  std::vector<Secret> secrets;  // `secret` first, then `old_secrets`; empty: unsigned
  std::vector<Header> headers;
  Secret bearer_token;
  std::string basic_user;
  Secret basic_password;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool insecure_skip_verify = false;
  std::string proxy_url;  // may hold credentials: a secret
  bool allow_http = false;
  milliseconds timeout{10'000};
  int concurrency = 16;
  RetrySettings retry;
  BreakerSettings breaker;
  std::optional<JqText> when;
  std::optional<JqText> transform;
};

enum class RequireAuth { kAny, kAll };

struct HttpSettings {
  std::string listen_addr = ":8081";  // host:port, unix:PATH or systemd
  std::string public_addr;            // as written, without user info
  std::string https_key_file;
  std::string https_cert_file;
  std::string basic_user;  // from [http.basic_auth] or the user info of public_addr
  Secret basic_password;
  Secret bearer_token;
  RequireAuth require = RequireAuth::kAny;
  bool allow_unauthenticated = false;
  bool no_tls = false;                       // --insecure-no-tls
  std::vector<std::string> trusted_proxies;  // addresses or CIDR
  bool verify_client_cert = false;
  std::string client_ca_file;
  std::vector<std::string> allowed_names;
  std::size_t max_body = 64 * 1024;
  milliseconds request_timeout{10'000};
  std::optional<double> rate_limit = 20.0;  // requests a second per client; nullopt: off
};

enum class CallbackMode { kState, kReview };

// `delegator` of [callback]: from the body, from the authentication, or fixed.
enum class DelegatorSource { kBody, kAuth, kFixed };

// `[[callback.caller]]`: a named caller with exactly one credential.
struct CallerSettings {
  std::string name;
  std::string basic_user;
  Secret basic_password;
  Secret bearer_token;
  Secret hmac_secret;                  // scheme: CallbackSettings::signature
  std::string certificate_name;        // name in a client certificate
  std::vector<std::string> decisions;  // "approve", "deny"; empty: both
  std::vector<std::string> roles;      // patterns, besides those of [callback]; empty: all
  std::vector<std::string> users;
};

struct CallbackSettings {
  CallbackMode mode = CallbackMode::kState;
  DelegatorSource delegator = DelegatorSource::kBody;
  std::string fixed_delegator;
  std::vector<std::string> roles;  // patterns with *; empty: all
  std::vector<std::string> users;
  bool require_reason = false;
  bool deny_self_approval = true;
  SignatureScheme signature = SignatureScheme::kStandard;
  Secret secret;  // webhook.callback_secret
  std::vector<CallerSettings> callers;
};

enum class OnStart { kPending, kNone };

struct StateSettings {
  std::string dir = "/var/lib/teleport/plugins/webhooks";
  milliseconds retain{168LL * 3600 * 1000};
  OnStart on_start = OnStart::kPending;
};

enum class LogFormat { kText, kJson };

struct LogSettings {
  std::string output = "stderr";  // "stderr", "stdout" or a path
  LogLevel severity = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

struct Settings {
  std::string origin;  // the file it came from, for messages
  TeleportSettings teleport;
  bool notify_only = false;
  std::vector<EndpointSettings> endpoints;
  HttpSettings http;
  CallbackSettings callback;
  StateSettings state;
  std::string diagnostics_addr;  // empty: off
  LogSettings log;
};

}  // namespace tw::config
