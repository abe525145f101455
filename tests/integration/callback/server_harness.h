// A listener with a scripted handler, and certificates made on the spot.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "callback/http_server.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "crypto/self_signed.h"
#include "fakes/fake_logger.h"
#include "fakes/http_client.h"

namespace tw::callback {

// Answers 200 with what it saw, unless told otherwise.
class ScriptedHandler final : public HttpHandler {
 public:
  std::function<HttpResponse(const HttpRequest&, std::stop_token)> script = [](const HttpRequest& request,
                                                                               const std::stop_token&) {
    return HttpResponse{200,
                        {{"Content-Type", "text/plain"}},
                        request.method + " " + request.target + " " + request.body,
                        false};
  };
  std::atomic<int> handled{0};

  HttpResponse Handle(const HttpRequest& request, std::stop_token stop) override {
    ++handled;
    return script(request, std::move(stop));
  }
  HttpResponse Refuse(const HttpRequest&, int status, std::string_view reason) override {
    return {status, {}, std::string(reason), false};
  }
};

struct TestPair {
  std::string certificate_pem;
  std::string key_pem;
  std::string der;
  std::string fingerprint;
  Secret key_der;

  explicit TestPair(const std::vector<std::string>& names) {
    const auto now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto made = crypto::MakeSelfSigned(names, now, std::chrono::days(2));
    certificate_pem = made->certificate_pem;
    key_pem = std::string(made->key_pem.Reveal());
    const auto read = crypto::ReadCertificates(certificate_pem);
    der = read->front().der;
    fingerprint = read->front().fingerprint;
    key_der = *crypto::ReadPrivateKey(key_pem);
  }
  TlsMaterial Material() const { return {key_der, {der}, {}, false}; }
};

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = LoadHttpServer(log);
    ASSERT_TRUE(loaded) << loaded.error().message;
    server = std::move(*loaded);
    options.listen = "127.0.0.1:0";
  }
  void TearDown() override {
    if (server) server->Stop(std::chrono::milliseconds(0));
  }
  void Start() {
    const auto bound = server->Start(options, handler);
    ASSERT_TRUE(bound) << bound.error().message;
    address = *bound;
  }

  fakes::FakeLogger log;
  ScriptedHandler handler;
  HttpServerOptions options;
  std::string address;
  std::unique_ptr<HttpServer> server;
};

}  // namespace tw::callback
