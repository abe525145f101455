// What `configure` prints: the commented configuration and the other documents of a set-up. Pure functions,
// any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace tw::config {

struct TemplateOptions {
  std::string addr;  // empty: a placeholder
  std::string webhook_url;
  std::string public_addr;
  bool notify_only = false;
  Secret secret;           // webhook.secret; empty: a file is named instead
  Secret callback_secret;  // webhook.callback_secret; the same
};

// TOML that Load takes without a problem or warning once the files that it names exist.
std::string ConfigTemplate(const TemplateOptions& options);

enum class DocumentKind { kConfig, kRole, kRoleReview, kRoleNotify, kTbot, kSystemd };
// "config", "role", "role-review", "role-notify", "tbot", "systemd".
std::optional<DocumentKind> ParseDocumentKind(std::string_view name);
inline constexpr std::string_view kDocumentKinds = "config|role|role-review|role-notify|tbot|systemd";

struct DocumentOptions {
  TemplateOptions config;                              // addr is also the server of tbot
  std::string program = "/usr/bin/teleport-webhooks";  // ExecStart of the unit
};

std::string Document(DocumentKind kind, const DocumentOptions& options);

// A new Standard Webhooks secret: "whsec_" and base64 of 32 random bytes.
std::string NewSecret(Random& random);

}  // namespace tw::config
