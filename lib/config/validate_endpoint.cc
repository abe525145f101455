#include <fmt/format.h>

#include "base/text.h"
#include "base/url.h"
#include "config/validate.h"
#include "crypto/webhook_signature.h"

namespace tw::config {
namespace {

crypto::WebhookScheme Scheme(const Draft& draft) {
  return draft.Get("signature").number == static_cast<int>(SignatureScheme::kGithub)
             ? crypto::WebhookScheme::kGithub
             : crypto::WebhookScheme::kStandard;
}

void CheckUrl(const Draft& draft, std::string_view url_key, Report& report) {
  const Setting* setting = draft.Known(url_key);
  if (setting == nullptr) return;
  const auto url = ParseUrl(setting->text);
  if (!url || url->https() || IsLoopbackHost(url->host) || draft.True("allow_http")) return;
  report.problems.push_back(
      draft.Complain(url_key, fmt::format("{} would carry requests in the clear", url->Origin()),
                     "write https://, or set allow_http = true if the way there is protected otherwise"));
}

void CheckAuthentication(const Draft& draft, std::string_view url_key, Report& report) {
  RequireBoth(draft, "basic_user", "basic_password", report);
  std::vector<std::string> schemes;
  if (draft.Has("basic_user") || draft.Has("basic_password")) schemes.emplace_back("basic_user");
  if (draft.Has("bearer_token")) schemes.emplace_back("bearer_token");
  if (const Setting* url = draft.Known(url_key)) {
    const auto parsed = ParseUrl(url->text);
    if (parsed && !parsed->user.empty()) schemes.push_back(fmt::format("user info in {}", url_key));
  }
  if (const Setting* headers = draft.Known("headers")) {
    for (const auto& [name, value] : headers->pairs) {
      if (AsciiLower(name) == "authorization") schemes.emplace_back("the header Authorization");
    }
  }
  if (schemes.size() < 2) return;
  const std::string_view last = draft.Has("bearer_token") ? "bearer_token"
                                : draft.Has("basic_user") ? "basic_user"
                                                          : "headers";
  report.problems.push_back(draft.Complain(
      last, fmt::format("two ways to authenticate: {}", fmt::join(schemes, " and ")), "keep one"));
}

void CheckSecrets(const Draft& draft, Report& report) {
  const auto complain = [&](std::string_view key, const std::string& text) {
    const auto secret = crypto::WebhookKey::ForSigning(text, Scheme(draft));
    if (!secret) report.problems.push_back(draft.Complain(key, secret.error().message, secret.error().hint));
  };
  if (const Setting* secret = draft.Known("secret")) complain("secret", secret->text);
  if (const Setting* old = draft.Known("old_secrets")) {
    for (const std::string& text : old->texts) complain("old_secrets", text);
  }
  if (draft.Has("old_secrets") && !draft.Has("secret")) {
    report.problems.push_back(
        draft.Complain("old_secrets", "needs secret", "name the present secret as secret"));
  }
  if (draft.Has("signature") && !draft.Has("secret")) {
    report.warnings.push_back(
        draft.Complain("signature", "has no effect without secret", "set secret, or remove it"));
  }
  if (Scheme(draft) != crypto::WebhookScheme::kGithub) return;
  if (draft.Has("old_secrets")) {
    report.problems.push_back(draft.Complain(
        "old_secrets", "cannot be used with signature = \"github\", whose header holds one signature",
        "remove it, or use signature = \"standard\""));
  }
  if (const Setting* headers = draft.Known("headers")) {
    for (const auto& [name, value] : headers->pairs) {
      if (AsciiLower(name) != "x-hub-signature-256") continue;
      report.problems.push_back(
          draft.Complain("headers", fmt::format("the header {} carries the signature", name), "remove it"));
    }
  }
}

}  // namespace

void ValidateEndpoint(const Draft& draft, std::string_view url_key, Report& report) {
  CheckUrl(draft, url_key, report);
  CheckAuthentication(draft, url_key, report);
  CheckSecrets(draft, report);
  RequireBoth(draft, "cert_file", "key_file", report);
  if (draft.Get("retry.initial").number > draft.Get("retry.max").number) {
    report.problems.push_back(draft.Complain(draft.Has("retry.initial") ? "retry.initial" : "retry.max",
                                             "retry.initial is longer than retry.max",
                                             "lower the one or raise the other"));
  }
  if (const Setting* states = draft.Known("request_states"); states != nullptr && states->texts.empty()) {
    report.warnings.push_back(draft.Complain("request_states", "names no state, so nothing will be sent",
                                             "write e.g. [\"Pending\"]"));
  }
  if (draft.True("insecure_skip_verify")) {
    report.warnings.push_back(
        draft.Complain("insecure_skip_verify",
                       "the receiver's certificate is not checked, so anyone on the way can pose as it",
                       "name its certificate authority in ca_file instead"));
  }
}

}  // namespace tw::config
