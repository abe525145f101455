// A CallbackHandler without sockets in front of a Teleport in memory.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "access/decider.h"
#include "access/memory_book.h"
#include "base/text.h"
#include "callback/callback_handler.h"
#include "callback/decider_service.h"
#include "crypto/webhook_signature.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_logger.h"
#include "fakes/fake_teleport.h"

namespace tw::callback {

class MemoryReplays final : public ReplayMemory {
 public:
  Result<std::optional<RememberedAnswer>> Find(const std::string& caller, const std::string& id) override {
    std::lock_guard lock(mutex);
    if (broken) return Error::Failure("disk is gone");
    const auto found = answers.find({caller, id});
    return found == answers.end() ? std::optional<RememberedAnswer>() : found->second;
  }
  Status Save(const std::string& caller, const std::string& id, const RememberedAnswer& answer,
              SystemTime until) override {
    std::lock_guard lock(mutex);
    answers[{caller, id}] = answer;
    forget_after[id] = until;
    return {};
  }

  std::mutex mutex;
  bool broken = false;
  std::map<std::pair<std::string, std::string>, RememberedAnswer> answers;
  std::map<std::string, SystemTime> forget_after;
};

class MemoryAudit final : public AuditLog {
 public:
  Status Append(const AuditRecord& record) override {
    std::lock_guard lock(mutex);
    records.push_back(record);
    return {};
  }
  Status Ready() override { return broken ? Status(Error::Failure("disk is full")) : Status(); }

  std::mutex mutex;
  bool broken = false;
  std::vector<AuditRecord> records;
};

class CountingObserver final : public CallbackObserver {
 public:
  void OnCallback(std::string_view result) override {
    std::lock_guard lock(mutex);
    ++counts[std::string(result)];
  }
  std::mutex mutex;
  std::map<std::string, int> counts;
};

inline constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
inline constexpr std::string_view kOtherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

using HeaderList = std::vector<std::pair<std::string, std::string>>;

inline std::pair<std::string, std::string> Basic(const std::string& user, const std::string& password) {
  return {"Authorization", "Basic " + Base64Encode(user + ":" + password)};
}
inline std::pair<std::string, std::string> Bearer(const std::string& token) {
  return {"Authorization", "Bearer " + token};
}
inline std::string LegacyBody(const std::string& id, const std::string& state,
                              const std::string& delegator = "carol") {
  return R"({"payload":{"ReqID":")" + id + R"(","State":")" + state + R"(","Delegator":")" + delegator +
         R"("}})";
}
inline const std::pair<std::string, std::string> kJsonType{"Content-Type", "application/json"};

class HandlerTest : public testing::Test {
 protected:
  void SetUp() override {
    http.basic_user = "portal";
    http.basic_password = Secret("correct horse battery");
    http.public_addr = "https://hooks.example.com";
    http.rate_limit = std::nullopt;
    teleport.Create("req-1");
  }
  CallbackHandler& Handler() {
    if (!handler) {
      auto made = CallbackHandler::Make(http, callback, {service, replays, audit, observer, clock, log});
      EXPECT_TRUE(made) << made.error().message;
      handler = std::move(*made);
    }
    return *handler;
  }
  HttpRequest Request(std::string method, std::string target, std::string body = {},
                      HeaderList headers = {}) {
    HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.peer = "192.0.2.7";
    request.tls = true;
    request.deadline = clock.Steady() + std::chrono::seconds(10);
    return request;
  }
  HttpResponse Send(const HttpRequest& request) { return Handler().Handle(request, {}); }
  HttpResponse Post(const std::string& target, const std::string& body = {}, HeaderList headers = {}) {
    headers.push_back(Basic("portal", "correct horse battery"));
    return Send(Request("POST", target, body, std::move(headers)));
  }
  // As a sender of Standard Webhooks would sign it.
  HeaderList Signed(const std::string& id, const std::string& body, std::string_view secret = kSecret,
                    std::chrono::seconds skew = {}) {
    const auto key = crypto::WebhookKey::ForSigning(secret, crypto::WebhookScheme::kStandard);
    const std::int64_t at =
        std::chrono::floor<std::chrono::seconds>(clock.Now() + skew).time_since_epoch().count();
    return {{"webhook-id", id},
            {"webhook-timestamp", std::to_string(at)},
            {"webhook-signature", crypto::SignStandard({&*key, 1}, id, at, body)}};
  }
  void OnlySignatures() {
    http.basic_user.clear();
    http.basic_password = Secret();
    callback.secret = Secret(std::string(kSecret));
  }
  access::RequestState StateOf(const std::string& id) { return teleport.Find(id)->state; }
  static std::string HeaderOf(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  config::HttpSettings http;
  config::CallbackSettings callback;
  fakes::FakeClock clock;
  fakes::FakeLogger log;
  fakes::FakeTeleport teleport{clock};
  access::Decider decider{teleport, nullptr, clock, log};
  std::atomic<bool> ready{true};
  DeciderService service{
      teleport, decider, {[this] { return ready.load(); }, [] { return "proxy.example.com:443"; }}};
  MemoryReplays replays;
  MemoryAudit audit;
  CountingObserver observer;
  std::unique_ptr<CallbackHandler> handler;
};

}  // namespace tw::callback
