#include "config/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/load.h"
#include "config/setting.h"

namespace tw::config {
namespace {

// The keys of product.md section 7, written out so that none can go missing unnoticed.
constexpr std::string_view kContract[] = {
    "teleport.addr",
    "teleport.auth_server",
    "teleport.client_key",
    "teleport.client_crt",
    "teleport.root_cas",
    "teleport.identity",
    "teleport.route",
    "teleport.proxy_url",
    "teleport.refresh_interval",
    "teleport.connect_timeout",
    "teleport.fail_fast",
    "webhook.webhook_url",
    "webhook.notify_only",
    "webhook.request_states",
    "webhook.request_statuses",
    "webhook.events",
    "webhook.payload",
    "webhook.secret",
    "webhook.old_secrets",
    "webhook.signature",
    "webhook.callback_secret",
    "webhook.headers",
    "webhook.bearer_token",
    "webhook.basic_user",
    "webhook.basic_password",
    "webhook.ca_file",
    "webhook.cert_file",
    "webhook.key_file",
    "webhook.insecure_skip_verify",
    "webhook.proxy_url",
    "webhook.allow_http",
    "webhook.timeout",
    "webhook.concurrency",
    "webhook.retry.initial",
    "webhook.retry.max",
    "webhook.retry.max_elapsed",
    "webhook.breaker.failures",
    "webhook.breaker.max",
    "webhook.when",
    "webhook.transform",
    "endpoint.name",
    "endpoint.url",
    "http.listen_addr",
    "http.public_addr",
    "http.https_key_file",
    "http.https_cert_file",
    "http.basic_auth.user",
    "http.basic_auth.password",
    "http.bearer_token",
    "http.require",
    "http.allow_unauthenticated",
    "http.trusted_proxies",
    "http.tls.verify_client_cert",
    "http.tls.client_ca_file",
    "http.tls.allowed_names",
    "http.max_body",
    "http.request_timeout",
    "http.rate_limit",
    "http.insecure",
    "callback.mode",
    "callback.delegator",
    "callback.roles",
    "callback.users",
    "callback.require_reason",
    "callback.deny_self_approval",
    "callback.signature",
    "callback.caller.name",
    "callback.caller.decisions",
    "callback.caller.roles",
    "callback.caller.users",
    "state.dir",
    "state.retain",
    "state.on_start",
    "diagnostics.listen_addr",
    "log.output",
    "log.severity",
    "log.format",
};

TEST(Keys, HoldEveryKeyOfTheContract) {
  std::set<std::string> names;
  for (const KeyInfo& info : Keys()) names.insert(info.FullName());
  for (const std::string_view key : kContract) EXPECT_TRUE(names.contains(std::string(key))) << key;
}

TEST(Keys, AreUniqueAndSoAreTheirEnvironmentNames) {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const KeyInfo& info : Keys()) {
    EXPECT_TRUE(names.insert(info.FullName()).second) << info.FullName();
    if (!info.environment.empty()) {
      EXPECT_TRUE(variables.insert(info.environment).second) << info.environment;
    }
  }
}

TEST(Keys, GiveEveryDeliveryKeyToEndpointsToo) {
  std::set<std::string> names;
  for (const KeyInfo& info : Keys()) names.insert(info.FullName());
  for (const KeySpec& spec : AllSpecs()) {
    if (spec.section != "delivery") continue;
    EXPECT_TRUE(names.contains("webhook." + std::string(spec.name)));
    EXPECT_TRUE(names.contains("endpoint." + std::string(spec.name)));
  }
}

TEST(Keys, LetEverySecretStandInAFileOfItsOwn) {
  std::set<std::string> names;
  for (const KeyInfo& info : Keys()) names.insert(info.FullName());
  for (const KeyInfo& info : Keys()) {
    if (info.secret) {
      EXPECT_TRUE(names.contains(info.FullName() + "_file")) << info.FullName();
    }
  }
}

TEST(Keys, NeverTakeASecretFromTheCommandLine) {
  for (const KeyInfo& info : Keys()) {
    EXPECT_FALSE(info.secret && info.settable) << info.FullName();
  }
}

TEST(Keys, ExplainThemselves) {
  for (const KeyInfo& info : Keys()) {
    EXPECT_FALSE(info.help.empty()) << info.FullName();
    EXPECT_FALSE(info.type.empty()) << info.FullName();
  }
}

TEST(Keys, HaveDefaultsThatTheyAcceptThemselves) {
  for (const KeySpec& spec : AllSpecs()) {
    if (spec.standard.empty() || spec.type == ValueType::kStates) continue;
    const Parsed parsed = ParseSettingText(spec, spec.standard);
    EXPECT_TRUE(std::holds_alternative<Setting>(parsed)) << spec.section << "." << spec.name;
  }
}

TEST(Keys, NameTheEnvironmentAfterSectionAndKey) {
  EXPECT_EQ(EnvironmentName("http", "basic_auth.user"), "TELEPORT_WEBHOOKS_HTTP_BASIC_AUTH_USER");
}

// The table's defaults and those of settings.h are two statements of one thing.
TEST(Keys, AgreeWithTheDefaultsOfTheSettings) {
  std::string all;
  std::string section;
  for (const KeySpec& spec : AllSpecs()) {
    if (spec.standard.empty() || spec.section == "delivery") continue;
    if (spec.section != section) all += "[" + std::string(section = spec.section) + "]\n";
    const bool bare = spec.type == ValueType::kBool || spec.type == ValueType::kInteger;
    all += std::string(spec.name) + " = " +
           (bare ? std::string(spec.standard) : "\"" + std::string(spec.standard) + "\"") + "\n";
  }
  LoadInput input;
  input.file = SourceText{"t", all, 0600};
  input.purpose = Purpose::kNothing;
  const LoadResult result = Load(input);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  const Settings standard;
  const Settings& s = *result.settings;
  EXPECT_EQ(s.teleport.addr, standard.teleport.addr);
  EXPECT_EQ(s.teleport.route, standard.teleport.route);
  EXPECT_EQ(s.teleport.refresh_interval, standard.teleport.refresh_interval);
  EXPECT_EQ(s.teleport.connect_timeout, standard.teleport.connect_timeout);
  EXPECT_EQ(s.http.listen_addr, standard.http.listen_addr);
  EXPECT_EQ(s.http.require, standard.http.require);
  EXPECT_EQ(s.http.max_body, standard.http.max_body);
  EXPECT_EQ(s.http.request_timeout, standard.http.request_timeout);
  EXPECT_EQ(s.http.rate_limit, standard.http.rate_limit);
  EXPECT_EQ(s.callback.mode, standard.callback.mode);
  EXPECT_EQ(s.callback.delegator, standard.callback.delegator);
  EXPECT_EQ(s.callback.deny_self_approval, standard.callback.deny_self_approval);
  EXPECT_EQ(s.callback.signature, standard.callback.signature);
  EXPECT_EQ(s.state.dir, standard.state.dir);
  EXPECT_EQ(s.state.retain, standard.state.retain);
  EXPECT_EQ(s.state.on_start, standard.state.on_start);
  EXPECT_EQ(s.diagnostics_addr, standard.diagnostics_addr);
  EXPECT_EQ(s.log.output, standard.log.output);
  EXPECT_EQ(s.log.severity, standard.log.severity);
  EXPECT_EQ(s.log.format, standard.log.format);
}

TEST(Keys, AgreeWithTheDefaultsOfAnEndpoint) {
  std::string text = "[webhook]\nwebhook_url = \"https://r/\"\n";
  for (const KeySpec& spec : AllSpecs()) {
    if (spec.standard.empty() || spec.section != "delivery" || spec.name == "signature") continue;
    const bool bare =
        spec.type == ValueType::kBool || spec.type == ValueType::kInteger || spec.type == ValueType::kStates;
    text += std::string(spec.name) + " = " +
            (bare ? std::string(spec.standard) : "\"" + std::string(spec.standard) + "\"") + "\n";
  }
  LoadInput input;
  input.file = SourceText{"t", text, 0600};
  input.purpose = Purpose::kSend;
  const LoadResult result = Load(input);
  ASSERT_TRUE(result.settings) << result.ToError().message;
  const EndpointSettings& e = result.settings->endpoints.at(0);
  const EndpointSettings standard;
  EXPECT_EQ(e.name, "default");
  EXPECT_EQ(e.request_states, standard.request_states);
  EXPECT_EQ(e.payload, standard.payload);
  EXPECT_EQ(e.timeout, standard.timeout);
  EXPECT_EQ(e.concurrency, standard.concurrency);
  EXPECT_EQ(e.retry.initial, standard.retry.initial);
  EXPECT_EQ(e.retry.max, standard.retry.max);
  EXPECT_EQ(e.retry.max_elapsed, standard.retry.max_elapsed);
  EXPECT_EQ(e.breaker.failures, standard.breaker.failures);
  EXPECT_EQ(e.breaker.max, standard.breaker.max);
}

}  // namespace
}  // namespace tw::config
