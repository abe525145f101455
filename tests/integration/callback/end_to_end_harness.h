// Listener, handler, decider and audit trail as the daemon joins them; only Teleport is in memory.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "access/decider.h"
#include "base/text.h"
#include "callback/audit_file.h"
#include "callback/callback_handler.h"
#include "callback/decider_service.h"
#include "callback/tls_files.h"
#include "fakes/fake_teleport.h"
#include "integration/callback/server_harness.h"

namespace tw::callback {

class NoReplays final : public ReplayMemory {
 public:
  Result<std::optional<RememberedAnswer>> Find(const std::string&, const std::string&) override {
    return std::optional<RememberedAnswer>();
  }
  Status Save(const std::string&, const std::string&, const RememberedAnswer&, SystemTime) override {
    return {};
  }
};

class NoObserver final : public CallbackObserver {
 public:
  void OnCallback(std::string_view) override {}
};

class EndToEndTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tw-callback-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
    audit = std::move(*AuditFile::Open(directory / "audit.log", log));
    http.basic_user = "portal";
    http.basic_password = Secret("correct horse battery");
    callback.secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    http.rate_limit = std::nullopt;
    teleport.Create("req-1");
  }
  void TearDown() override {
    if (server) server->Stop(std::chrono::milliseconds(0));
    std::filesystem::remove_all(directory);
  }
  void Start(bool tls) {
    auto made = CallbackHandler::Make(http, callback, {service, replays, *audit, observer, clock, log});
    ASSERT_TRUE(made) << made.error().message;
    handler = std::move(*made);
    HttpServerOptions options;
    options.listen = "127.0.0.1:0";
    options.max_body = http.max_body;
    options.request_timeout = http.request_timeout;
    if (tls) options.tls = std::move(*LoadTls(*EnsureSelfSigned(directory, "localhost", clock.Now(), log)));
    server = std::move(*LoadHttpServer(log));
    const auto bound = server->Start(std::move(options), *handler);
    ASSERT_TRUE(bound) << bound.error().message;
    address = *bound;
  }
  const std::pair<std::string, std::string> basic{"Authorization",
                                                  "Basic " + Base64Encode("portal:correct horse battery")};

  RealClock clock;
  fakes::FakeClock teleport_clock;
  fakes::FakeLogger log;
  fakes::FakeTeleport teleport{teleport_clock};
  access::Decider decider{teleport, nullptr, clock, log};
  DeciderService service{teleport, decider, {[] { return true; }, [] { return std::string(); }}};
  NoReplays replays;
  NoObserver observer;
  config::HttpSettings http;
  config::CallbackSettings callback;
  std::filesystem::path directory;
  std::unique_ptr<AuditFile> audit;
  std::unique_ptr<CallbackHandler> handler;
  std::unique_ptr<HttpServer> server;
  std::string address;
};

}  // namespace tw::callback
