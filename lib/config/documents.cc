// The documents besides the configuration. Rights and roles: teleport-api.md section 6.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "base/url.h"
#include "config/show.h"
#include "config/template.h"

namespace tw::config {
namespace {

constexpr std::string_view kDeciderRules = R"(    rules:
      # list and read: follow requests and find what was missed; update: approve and deny.
      - resources: [access_request]
        verbs: [list, read, update]
)";

constexpr std::string_view kReviewerRules = R"(    rules:
      - resources: [access_request]
        verbs: [list, read]
    # Requests for these roles may be reviewed; the review counts as that of one reviewer.
    review_requests:
      roles: ['*']
)";

constexpr std::string_view kObserverRules = R"(    rules:
      # Enough to follow requests; nothing can be decided with it.
      - resources: [access_request]
        verbs: [list, read]
)";

constexpr std::string_view kRole = R"(# {purpose}
#
#   teleport-webhooks configure --kind {kind} > role.yaml
#   tctl create -f role.yaml
#   tctl auth sign --user=teleport-webhooks --out=identity --ttl=8760h
#
# Better than a certificate of a year is tbot, which renews short ones: configure --kind tbot.
kind: role
version: v5  # v3 for Teleport 6 to 8
metadata:
  name: teleport-webhooks
spec:
  allow:
{rules}---
kind: user
version: v2
metadata:
  name: teleport-webhooks
spec:
  roles: [teleport-webhooks]
)";

constexpr int kAuthPort = 3025;

constexpr std::string_view kTbot =
    R"(# Configuration of tbot (Teleport 14 or newer), which keeps the identity file of teleport-webhooks fresh.
#
#   tctl bots add teleport-webhooks --roles=teleport-webhooks    # prints the token for below
#   tbot start -c tbot.yaml
#
# In teleport-webhooks.toml: identity = "/var/lib/teleport-webhooks-bot/out/identity"
# Run tbot as the user that teleport-webhooks runs as, or let that user read the directory.
version: v2
{server}
onboarding:
  join_method: token
  token: put-the-token-here
storage:
  type: directory
  path: /var/lib/teleport-webhooks-bot/storage
outputs:
  - type: identity
    destination:
      type: directory
      path: /var/lib/teleport-webhooks-bot/out
)";

constexpr std::string_view kUnit = R"(# teleport-webhooks under systemd.
#
#   teleport-webhooks configure --kind systemd > /etc/systemd/system/teleport-webhooks.service
#   systemctl daemon-reload
#   systemctl enable --now teleport-webhooks
#
# The service runs as the user teleport-webhooks; where there is none, systemd makes one up. A user made up can read
# only what all may read: the configuration file must be such (mode 0644), and what is secret stands in files of its
# own, which systemd hands over (systemctl edit teleport-webhooks):
#
#   [Service]
#   LoadCredential=identity:/etc/teleport-webhooks/identity
#   LoadCredential=secret:/etc/teleport-webhooks/secret
#   LoadCredential=callback-secret:/etc/teleport-webhooks/callback-secret
#
# and in the configuration: identity = "/run/credentials/teleport-webhooks.service/identity", and so on. They are copies
# of when the service started. An identity that tbot renews is read where tbot writes it: make the user
# teleport-webhooks, and run tbot as that user.

[Unit]
Description=Teleport access requests as webhooks
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} serve --config /etc/teleport-webhooks.toml
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5s
# Wrong arguments or configuration do not get right by trying again.
RestartPreventExitStatus=2 3
# Teleport may be away for long when the machine starts; waiting is not failing.
TimeoutStartSec=infinity
TimeoutStopSec=30s
WatchdogSec=60s

User=teleport-webhooks
DynamicUser=yes
StateDirectory=teleport-webhooks
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=65536
# A core would hold secrets.
LimitCORE=0

CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
PrivateUsers=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
DevicePolicy=closed
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
)";

std::string Role(std::string_view kind, std::string_view purpose, std::string_view rules) {
  return fmt::format(fmt::runtime(kRole), fmt::arg("kind", kind), fmt::arg("purpose", purpose),
                     fmt::arg("rules", rules));
}

// A JSON string is a YAML string too.
std::string TbotServer(const std::string& addr) {
  if (addr.empty()) return "proxy_server: teleport.example.com:443";
  const auto address = ParseAddress(addr);
  const bool auth = address && address->port == kAuthPort;
  return fmt::format("{}: {}", auth ? "auth_server" : "proxy_server", TomlQuote(addr));
}

// Percent signs begin a specifier in units, and a blank would end the word.
std::string UnitWord(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '$') out += c;
    if (c == ' ' || c == '"' || c == '\\' || c == '\'') {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::optional<DocumentKind> ParseDocumentKind(std::string_view name) {
  const auto kinds = Split(kDocumentKinds, '|');
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == name) return static_cast<DocumentKind>(i);
  }
  return std::nullopt;
}

std::string Document(DocumentKind kind, const DocumentOptions& options) {
  switch (kind) {
    case DocumentKind::kConfig:
      return ConfigTemplate(options.config);
    case DocumentKind::kRole:
      if (options.config.notify_only) return Document(DocumentKind::kRoleNotify, options);
      return Role("role", "Teleport role and user for teleport-webhooks with callbacks that decide.",
                  kDeciderRules);
    case DocumentKind::kRoleReview:
      return Role(
          "role-review",
          "Teleport role and user for teleport-webhooks that submits reviews (callback.mode = \"review\").",
          kReviewerRules);
    case DocumentKind::kRoleNotify:
      return Role(
          "role-notify",
          "Teleport role and user for teleport-webhooks that only notifies (webhook.notify_only = true).",
          kObserverRules);
    case DocumentKind::kTbot:
      return fmt::format(fmt::runtime(kTbot), fmt::arg("server", TbotServer(options.config.addr)));
    case DocumentKind::kSystemd:
      return fmt::format(fmt::runtime(kUnit), fmt::arg("program", UnitWord(options.program)));
  }
  return {};
}

}  // namespace tw::config
