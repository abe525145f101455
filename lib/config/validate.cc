#include "config/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "crypto/webhook_signature.h"

namespace tw::config {
namespace {

constexpr std::array<std::string_view, 3> kTriple = {"client_key", "client_crt", "root_cas"};

void SettleCredentials(Draft& teleport) {
  const Assigned* identity = teleport.Find("identity");
  if (identity == nullptr) return;
  Layer triple = Layer::kDefault;
  for (const std::string_view key : kTriple) {
    if (const Assigned* part = teleport.Find(key)) triple = std::max(triple, part->origin.layer);
  }
  const Layer single = identity->origin.layer;
  if (triple > single) teleport.values.erase("identity");
  if (triple < single) {
    for (const std::string_view key : kTriple) {
      teleport.values.erase(key);
      teleport.broken.erase(key);
    }
  }
}

// The original printed callback_secret with a sentence as its value and never read it. Such a file must go on
// working, so a value without any mark of a secret is set aside, as long as nothing says that signatures are
// wanted.
void SettleCallbackSecret(Drafts& drafts, Report& report) {
  Draft& webhook = drafts.At("webhook");
  const Assigned* secret = webhook.Find("callback_secret");
  if (secret == nullptr || secret->in_file || !secret->path.empty() || secret->origin.layer != Layer::kFile)
    return;
  if (drafts.At("callback").Has("signature") ||
      drafts.At("http").Get("require").number == static_cast<int>(RequireAuth::kAll))
    return;
  const std::string& text = secret->value.text;
  if (text.starts_with("whsec") || text.starts_with("whsk") || text.starts_with("whpk") ||
      text.starts_with("v1"))
    return;
  report.warnings.push_back(webhook.Complain(
      "callback_secret",
      "is not used: the original never read it, and it is not a webhook secret, so callbacks cannot be "
      "signed with it",
      "write whsec_... (teleport-webhooks configure --new-secret prints one), or remove it"));
  webhook.values.erase("callback_secret");
}

void ValidateTeleport(const Drafts& drafts, Purpose purpose, Report& report) {
  const Draft& teleport = drafts.At("teleport");
  std::vector<std::string_view> missing;
  std::vector<std::string_view> given;
  for (const std::string_view key : kTriple) (teleport.Has(key) ? given : missing).push_back(key);
  if (teleport.Has("identity") && !given.empty()) {
    report.problems.push_back(teleport.Complain(
        "identity", fmt::format("excludes {}", fmt::join(given, ", ")), "keep one of the two ways"));
  } else if (!given.empty() && !missing.empty()) {
    report.problems.push_back(teleport.Complain(
        missing[0], fmt::format("{} missing", missing.size() == 1 ? "is" : "and root_cas are"),
        "give client_key, client_crt and root_cas together, or identity alone"));
  } else if (NeedsTeleport(purpose) && !teleport.Has("identity") && given.empty() &&
             !drafts.unread.contains("teleport")) {
    std::string hint = "set identity, or client_key, client_crt and root_cas (tctl auth sign makes them)";
    report.problems.push_back(teleport.Complain("identity", "there are no credentials for Teleport", hint));
  }
}

void ValidateEndpoints(const Drafts& drafts, Purpose purpose, Report& report) {
  const Draft& webhook = drafts.At("webhook");
  const bool has_default = webhook.Has("webhook_url");
  if (has_default) {
    ValidateEndpoint(webhook, "webhook_url", report);
  } else if (!drafts.endpoints.empty()) {
    for (const auto& [name, assigned] : webhook.values) {
      if (assigned.spec->section != "delivery") continue;
      report.warnings.push_back(webhook.Complain(name, "has no effect without webhook_url",
                                                 "move it into an [[endpoint]], or remove it"));
    }
  }
  ValidateNames(drafts.endpoints, has_default ? "default" : "", report);
  for (const Draft& endpoint : drafts.endpoints) {
    if (!endpoint.Has("url")) {
      report.problems.push_back(endpoint.Complain("url", "is missing", "write url = \"https://...\""));
    }
    ValidateEndpoint(endpoint, "url", report);
  }
  const bool unread = drafts.unread.contains("webhook") || drafts.unread.contains("endpoint");
  if (NeedsEndpoints(purpose) && !has_default && drafts.endpoints.empty() && !unread) {
    report.problems.push_back(
        webhook.Complain("webhook_url", "is missing, there is no receiver",
                         "write webhook_url = \"https://...\" into [webhook], or add an [[endpoint]]"));
  }
}

}  // namespace

bool NeedsTeleport(Purpose purpose) {
  return purpose == Purpose::kServe || purpose == Purpose::kTeleport || purpose == Purpose::kSendById;
}

bool NeedsEndpoints(Purpose purpose) {
  return purpose == Purpose::kServe || purpose == Purpose::kSend || purpose == Purpose::kSendById;
}

void ValidateNames(const std::vector<Draft>& drafts, std::string_view reserved, Report& report) {
  std::set<std::string> seen;
  if (!reserved.empty()) seen.insert(std::string(reserved));
  for (const Draft& draft : drafts) {
    const Setting* name = draft.Known("name");
    if (!draft.Has("name")) {
      report.problems.push_back(draft.Complain("name", "is missing", "write name = \"...\""));
    } else if (name != nullptr && !seen.insert(name->text).second) {
      const std::string why = name->text == reserved ? " ([webhook] has this name)" : "";
      report.problems.push_back(
          draft.Complain("name", fmt::format("\"{}\" is taken{}", name->text, why), "choose another"));
    }
  }
}

void RequireBoth(const Draft& draft, std::string_view one, std::string_view other, Report& report) {
  if (draft.Has(one) == draft.Has(other)) return;
  const std::string_view present = draft.Has(one) ? one : other;
  const std::string_view absent = draft.Has(one) ? other : one;
  Problem problem = draft.Complain(present, fmt::format("needs {}", absent), "give both or neither");
  report.problems.push_back(std::move(problem));
}

void Settle(Drafts& drafts, Report& report) {
  SettleCredentials(drafts.At("teleport"));
  SettleCallbackSecret(drafts, report);
}

void Validate(const Drafts& drafts, const LoadInput& input, Report& report) {
  if (NeedsTeleport(input.purpose)) ValidateTeleport(drafts, input.purpose, report);
  if (NeedsEndpoints(input.purpose)) ValidateEndpoints(drafts, input.purpose, report);
  if (input.purpose == Purpose::kServe) ValidateCallbacks(drafts, input, report);
  if (drafts.At("http").Has("insecure")) {
    report.warnings.push_back(drafts.At("http").Complain("insecure",
                                                         "has no effect, and had none in the original",
                                                         "remove it; serve --insecure-no-tls turns TLS off"));
  }
}

}  // namespace tw::config
