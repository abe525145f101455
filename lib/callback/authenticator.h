// Authenticator: who is asking? Basic, bearer, webhook signature and client certificate; the credentials of
// [http] and [webhook] and those of named callers (product.md section 5). Every configured credential is
// compared for every request, in constant time, so that a wrong secret and an unknown caller look alike.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "callback/http_server.h"
#include "config/settings.h"
#include "crypto/webhook_signature.h"

namespace tw::callback {

// Nothing wrong: nullopt. Else why a listener with these settings must not open: no authentication without
// allow_unauthenticated, require = "all" that nobody can meet, a secret that is not one. kConfig.
std::optional<Error> StartupProblem(const config::HttpSettings& http,
                                    const config::CallbackSettings& callback);

struct Identity {
  std::string name;  // for the record: caller's name, basic user, certificate CN, "hmac", "bearer"
  std::vector<std::string> names;                  // all that the credentials say the caller is called
  const config::CallerSettings* caller = nullptr;  // of the settings the Authenticator was made from
  bool signed_body = false;                        // the signature counts: replay memory applies
  std::string signer;      // when signed_body: whose key it was, whatever other credentials came along
  std::string webhook_id;  // when signed_body, under the standard scheme
};

// What of the request the signature may vouch for.
struct SignatureScope {
  bool bound = false;   // the body names request and decision, both equal to the path
  bool secure = false;  // came over HTTPS, here or at a trusted proxy
};

// Immutable: any thread. New settings mean a new Authenticator.
class Authenticator {
 public:
  // Error: kConfig, as StartupProblem.
  static Result<std::unique_ptr<Authenticator>> Make(const config::HttpSettings& http,
                                                     const config::CallbackSettings& callback);

  // Error (kCredentials): 401; its message is for our own log, never for the caller. With
  // allow_unauthenticated and nothing configured everybody is "unauthenticated".
  Result<Identity> Identify(const HttpRequest& request, const SignatureScope& scope, SystemTime now) const;
  // Values for WWW-Authenticate, the same for every refusal.
  const std::vector<std::string>& challenges() const { return challenges_; }

 private:
  // What a method says of a request.
  enum class Verdict { kAbsent, kWrong, kRight };
  struct Method {
    Verdict verdict = Verdict::kAbsent;
    bool global = false;  // the credential of [http] or [webhook] fits
    const config::CallerSettings* caller = nullptr;
    std::string_view why;  // it is wrong, or right and worth nothing here
  };
  struct Evidence {
    Method basic;
    Method bearer;
    Method signature;
    Method certificate;
    std::string basic_user;
    std::string webhook_id;
  };
  struct SigningKey {
    crypto::WebhookKey key;
    const config::CallerSettings* caller;  // null: webhook.callback_secret
  };

  Authenticator(config::HttpSettings http, config::CallbackSettings callback);
  Evidence Examine(const HttpRequest& request, const SignatureScope& scope, SystemTime now) const;
  void ExamineAuthorization(const HttpRequest& request, Evidence& out) const;
  Method ExamineBasic(std::string_view user, std::string_view password) const;
  Method ExamineBearer(std::string_view token) const;
  Method ExamineSignature(const HttpRequest& request, const SignatureScope& scope, SystemTime now) const;
  Method ExamineCertificate(const HttpRequest& request) const;
  bool Sufficient(const Evidence& evidence, const config::CallerSettings* caller) const;
  Identity Describe(const Evidence& evidence, const config::CallerSettings* caller,
                    const HttpRequest& request) const;

  const config::HttpSettings http_;
  const config::CallbackSettings callback_;
  std::vector<SigningKey> keys_;
  std::vector<std::string> challenges_;
};

}  // namespace tw::callback
