#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/url.h"
#include "config/validate.h"
#include "crypto/webhook_signature.h"

namespace tw::config {
namespace {

// Shorter ones can be guessed over the network.
constexpr std::size_t kShortToken = 16;

struct Context {
  const Drafts& drafts;
  const Draft& http;
  const Draft& webhook;
  const Draft& callback;
  const LoadInput& input;
  Report& report;

  bool github() const {
    return callback.Get("signature").number == static_cast<int>(SignatureScheme::kGithub);
  }
};

bool PublicAddrHasUser(const Draft& http) {
  const Setting* address = http.Known("public_addr");
  return address != nullptr && !address->pairs.empty();
}

// What systemd hands over is its administrator's choice.
bool OnThisMachine(std::string_view listen_addr) {
  if (listen_addr == "systemd" || listen_addr.starts_with("unix:")) return true;
  const auto address = ParseAddress(listen_addr);
  return address && IsLoopbackHost(address->host);
}

void CheckListener(const Context& c) {
  RequireBoth(c.http, "https_key_file", "https_cert_file", c.report);
  RequireBoth(c.http, "basic_auth.user", "basic_auth.password", c.report);
  if (PublicAddrHasUser(c.http) && (c.http.Has("basic_auth.user") || c.http.Has("basic_auth.password"))) {
    c.report.problems.push_back(c.http.Complain("public_addr",
                                                "holds a user and password, and so does basic_auth",
                                                "keep them in [http.basic_auth] only"));
  }
  const bool ca = c.http.Has("tls.client_ca_file");
  for (const std::string_view key :
       {std::string_view("tls.verify_client_cert"), std::string_view("tls.allowed_names")}) {
    const bool wanted = key == "tls.allowed_names" ? c.http.Has(key) : c.http.True(key);
    if (wanted && !ca) {
      c.report.problems.push_back(c.http.Complain(
          key, "needs tls.client_ca_file", "name the file with the certificate authorities of your callers"));
    }
  }
  if (c.input.insecure_no_tls && !OnThisMachine(c.http.Get("listen_addr").text)) {
    c.report.warnings.push_back(c.http.Complain(
        "listen_addr", "takes passwords and tokens of callers in the clear (--insecure-no-tls)",
        "let it listen on 127.0.0.1 or unix:PATH, behind a proxy that ends TLS"));
  }
  if (c.input.insecure_no_tls && ca) {
    c.report.problems.push_back(c.http.Complain(
        "tls.client_ca_file", "client certificates need TLS, which --insecure-no-tls turns off",
        "drop one of the two"));
  }
}

void CheckSignature(const Context& c) {
  const auto scheme = c.github() ? crypto::WebhookScheme::kGithub : crypto::WebhookScheme::kStandard;
  const auto check = [&](const Draft& draft, std::string_view key) {
    const Setting* secret = draft.Known(key);
    if (secret == nullptr) return;
    const auto parsed = crypto::WebhookKey::ForVerifying(secret->text, scheme);
    if (!parsed)
      c.report.problems.push_back(draft.Complain(key, parsed.error().message, parsed.error().hint));
  };
  check(c.webhook, "callback_secret");
  for (const Draft& caller : c.drafts.callers) check(caller, "hmac_secret");
  if (c.github() && c.input.insecure_no_tls) {
    c.report.problems.push_back(c.callback.Complain(
        "signature",
        "\"github\" has neither time nor id, so whoever reads a callback can repeat it: it needs HTTPS",
        "leave --insecure-no-tls out, or use \"standard\""));
  }
}

void CheckCaller(const Context& c, const Draft& caller) {
  std::vector<std::string_view> ways;
  if (caller.Has("basic_user") || caller.Has("basic_password")) ways.emplace_back("basic_user");
  for (const std::string_view key : {"bearer_token", "hmac_secret", "certificate_name"}) {
    if (caller.Has(key)) ways.push_back(key);
  }
  RequireBoth(caller, "basic_user", "basic_password", c.report);
  if (ways.empty()) {
    c.report.problems.push_back(caller.Complain(
        "name", "this caller has no credential",
        "give it one of bearer_token, hmac_secret, certificate_name, or basic_user and basic_password"));
  } else if (ways.size() > 1) {
    c.report.problems.push_back(caller.Complain(
        ways[1], fmt::format("this caller has several credentials: {}", fmt::join(ways, ", ")),
        "keep one, or make two callers"));
  }
  if (caller.Has("certificate_name") && !c.http.Has("tls.client_ca_file")) {
    c.report.problems.push_back(
        caller.Complain("certificate_name", "needs http.tls.client_ca_file",
                        "name the file with the certificate authorities of your callers"));
  }
}

// Two callers with one credential could not be told apart.
void CheckDistinct(const Context& c) {
  std::set<std::string> seen;
  const auto add = [&](const Draft& draft, std::string_view key, std::string_view name) {
    if (const Setting* value = draft.Known(key)) seen.insert(fmt::format("{}:{}", name, value->text));
  };
  add(c.http, "basic_auth.user", "basic_user");
  add(c.http, "bearer_token", "bearer_token");
  add(c.webhook, "callback_secret", "hmac_secret");
  for (const Draft& caller : c.drafts.callers) {
    for (const std::string_view key : {"basic_user", "bearer_token", "hmac_secret", "certificate_name"}) {
      const Setting* value = caller.Known(key);
      if (value == nullptr || seen.insert(fmt::format("{}:{}", key, value->text)).second) continue;
      c.report.problems.push_back(
          caller.Complain(key, "is the same as another caller's", "give each caller its own"));
    }
  }
}

// RFC 7617 section 2: the first colon ends the user.
void CheckUsers(const Context& c) {
  const auto check = [&](const Draft& draft, std::string_view key) {
    const Setting* user = draft.Known(key);
    if (user == nullptr || user->text.find(':') == std::string::npos) return;
    c.report.problems.push_back(
        draft.Complain(key, "holds a colon, so that no caller could log in", "choose a name without one"));
  };
  check(c.http, "basic_auth.user");
  for (const Draft& caller : c.drafts.callers) check(caller, "basic_user");
}

void CheckTokens(const Context& c) {
  const auto check = [&](const Draft& draft) {
    const Setting* token = draft.Known("bearer_token");
    if (token == nullptr) return;
    if (std::any_of(token->text.begin(), token->text.end(), [](char x) { return x <= ' ' || x > '~'; })) {
      c.report.problems.push_back(draft.Complain(
          "bearer_token", "holds a blank or a character outside ASCII, which no header can carry",
          "use letters and digits"));
    } else if (token->text.size() < kShortToken) {
      c.report.warnings.push_back(draft.Complain(
          "bearer_token", fmt::format("is shorter than {} characters and can be guessed", kShortToken),
          "use a random one, e.g. of openssl rand -hex 32"));
    }
  };
  check(c.http);
  for (const Draft& caller : c.drafts.callers) check(caller);
}

bool Authenticated(const Context& c) {
  for (const std::string_view section : {"http", "webhook", "callback", "callback.caller"}) {
    if (c.drafts.unread.contains(section)) return true;  // told already
  }
  return c.http.Has("basic_auth.user") || c.http.Has("basic_auth.password") || PublicAddrHasUser(c.http) ||
         c.http.Has("bearer_token") || c.http.Has("tls.client_ca_file") ||
         c.http.True("tls.verify_client_cert") || c.webhook.Has("callback_secret") ||
         !c.drafts.callers.empty();
}

void CheckAuthenticated(const Context& c) {
  const bool allowed = c.http.True("allow_unauthenticated");
  if (Authenticated(c)) {
    if (allowed)
      c.report.warnings.push_back(c.http.Complain(
          "allow_unauthenticated", "has no effect while authentication is configured", "remove it"));
    return;
  }
  if (allowed) {
    c.report.warnings.push_back(c.http.Complain(
        "allow_unauthenticated", "whoever reaches the callback listener can approve access requests",
        "set [http.basic_auth], or keep the listener to loopback"));
    return;
  }
  std::string what = "callbacks decide access requests, and no authentication is configured";
  const bool set_aside =
      std::any_of(c.report.warnings.begin(), c.report.warnings.end(),
                  [](const Problem& warning) { return warning.key == "webhook.callback_secret"; });
  if (set_aside) what += " (webhook.callback_secret is not a webhook secret and does not count)";
  Problem problem = c.http.Complain(
      "basic_auth", what,
      "set user and password in [http.basic_auth], or http.bearer_token, a whsec_ webhook.callback_secret, "
      "http.tls.client_ca_file or a [[callback.caller]]; webhook.notify_only = true does without callbacks");
  c.report.problems.push_back(std::move(problem));
}

}  // namespace

void ValidateCallbacks(const Drafts& drafts, const LoadInput& input, Report& report) {
  const Draft& webhook = drafts.At("webhook");
  if (webhook.True("notify_only")) return;
  const Context context{drafts, drafts.At("http"), webhook, drafts.At("callback"), input, report};
  CheckListener(context);
  CheckSignature(context);
  ValidateNames(drafts.callers, "", report);
  for (const Draft& caller : drafts.callers) CheckCaller(context, caller);
  CheckDistinct(context);
  CheckTokens(context);
  CheckUsers(context);
  CheckAuthenticated(context);
}

}  // namespace tw::config
