#include "verbs/send_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "config/files.h"
#include "jq/jq_program.h"
#include "version.h"
#include "wiring/settings.h"

namespace tw::cli {
namespace {

config::PayloadKind PayloadOf(const Arguments& args) {
  const std::string name = args.Value("payload").value_or("event");
  if (name == "legacy") return config::PayloadKind::kLegacy;
  if (name == "cloudevents") return config::PayloadKind::kCloudEvents;
  if (name == "cloudevents-binary") return config::PayloadKind::kCloudEventsBinary;
  return name == "form" ? config::PayloadKind::kForm : config::PayloadKind::kEvent;
}

Result<config::EndpointSettings> FromUrl(const Arguments& args) {
  config::EndpointSettings endpoint;
  auto url = ParseUrl(*args.Value("url"));
  if (!url) return url.error().Within("--url");
  if (!url->https() && !IsLoopbackHost(url->host)) {
    return Error::Usage("--url: plain http goes to this machine only", "use https://");
  }
  endpoint.name = "url";
  endpoint.url = std::move(*url);
  endpoint.payload = PayloadOf(args);
  if (const auto path = args.Value("secret-file")) {
    auto secret = ReadSecretFile(*path);
    if (!secret) return secret.error();
    endpoint.secrets.push_back(std::move(*secret));
  }
  return endpoint;
}

Status Narrow(const std::vector<std::string>& names, std::vector<config::EndpointSettings>& endpoints) {
  for (const std::string& name : names) {
    const bool there = std::any_of(endpoints.begin(), endpoints.end(),
                                   [&](const auto& endpoint) { return endpoint.name == name; });
    if (there) continue;
    std::vector<std::string_view> known;
    for (const auto& endpoint : endpoints) known.push_back(endpoint.name);
    const std::string nearest = Nearest(name, known);
    return Error::Usage(fmt::format("no endpoint \"{}\"", EscapeControls(name)),
                        nearest.empty() ? "" : fmt::format("did you mean \"{}\"?", nearest));
  }
  if (!names.empty()) {
    std::erase_if(endpoints, [&](const auto& endpoint) {
      return std::find(names.begin(), names.end(), endpoint.name) == names.end();
    });
  }
  return {};
}

}  // namespace

Result<Secret> ReadSecretFile(const std::string& path) {
  const auto file = config::RealFiles().Read(path);
  if (!file) return file.error().Within("--secret-file");
  Secret secret{std::string(Trim(file->text))};
  if (secret.Reveal().starts_with(kByteOrderMark)) {
    return Error{ErrorKind::kCredentials,
                 fmt::format("--secret-file: {} begins with a byte order mark", EscapeControls(path)),
                 "save the file without one (UTF-8, no BOM)", false};
  }
  if (secret.empty()) {
    return Error{ErrorKind::kCredentials, fmt::format("--secret-file: {} is empty", EscapeControls(path)),
                 "teleport-webhooks configure --new-secret makes a secret", false};
  }
  return secret;
}

const webhook::EndpointPlan* SendTargets::Find(const std::string& endpoint) const {
  const auto found = std::find_if(plans.begin(), plans.end(),
                                  [&](const auto& plan) { return plan.settings().name == endpoint; });
  return found == plans.end() ? nullptr : &*found;
}

Result<std::vector<webhook::EndpointPlan>> MakePlans(const config::Settings& settings) {
  std::shared_ptr<jq::Compiler> compiler;
  std::vector<webhook::EndpointPlan> plans;
  std::optional<Error> broken;  // all of them, so that they can be mended at once
  for (const config::EndpointSettings& endpoint : settings.endpoints) {
    if (endpoint.transform && !compiler) {
      auto loaded = jq::LoadCompiler();
      if (!loaded) return loaded.error();
      compiler = std::move(*loaded);
    }
    auto plan = webhook::EndpointPlan::Make(endpoint, {settings.notify_only, settings.http.public_addr},
                                            "teleport-webhooks/" TW_VERSION, compiler.get());
    if (plan) {
      plans.push_back(std::move(*plan));
    } else if (broken) {
      broken->message += "\n" + plan.error().message;
    } else {
      broken = plan.error();
    }
  }
  if (broken) return *broken;
  return plans;
}

Result<SendTargets> ReadTargets(const Invocation& invocation, bool needs_teleport) {
  const Arguments& args = invocation.args();
  const bool by_url = args.Has("url");
  for (const char* flag : {"secret-file", "payload"}) {
    if (args.Has(flag) && !by_url)
      return Error::Usage(fmt::format("--{} goes with --url", flag),
                          "endpoints of the configuration have their own");
  }
  if (by_url && args.Has("endpoint")) return Error::Usage("--url and --endpoint exclude each other");
  const config::Purpose purpose =
      by_url ? (needs_teleport ? config::Purpose::kTeleport : config::Purpose::kNothing)
             : (needs_teleport ? config::Purpose::kSendById : config::Purpose::kSend);
  auto settings = wiring::LoadSettings(invocation, purpose);
  if (!settings) return settings.error();
  if (by_url) {
    auto endpoint = FromUrl(args);
    if (!endpoint) return endpoint.error();
    settings->endpoints = {std::move(*endpoint)};
  } else if (const Status narrowed = Narrow(args.Values("endpoint"), settings->endpoints); !narrowed) {
    return narrowed.error();
  }
  auto plans = MakePlans(*settings);
  if (!plans) return plans.error();
  return SendTargets{std::move(*plans), std::move(*settings)};
}

}  // namespace tw::cli
