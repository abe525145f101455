#include "callback/authenticator.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "callback/headers.h"
#include "callback/pattern.h"

namespace tw::callback {
namespace {

using config::CallbackSettings;
using config::CallerSettings;
using config::HttpSettings;

enum class Kind { kBasic, kBearer, kSignature, kCertificate };

constexpr std::string_view kRealm = "realm=\"teleport-webhooks\"";

crypto::WebhookScheme SchemeOf(const CallbackSettings& callback) {
  return callback.signature == config::SignatureScheme::kGithub ? crypto::WebhookScheme::kGithub
                                                                : crypto::WebhookScheme::kStandard;
}

bool AnyCaller(const CallbackSettings& callback, bool (*has)(const CallerSettings&)) {
  return std::any_of(callback.callers.begin(), callback.callers.end(), has);
}

// A certificate of any name counts unless names are given, here or by callers.
bool CertificatesCount(const HttpSettings& http, const CallbackSettings& callback) {
  if (http.client_ca_file.empty()) return false;
  return !http.allowed_names.empty() ||
         !AnyCaller(callback, [](const CallerSettings& caller) { return !caller.certificate_name.empty(); });
}

std::set<Kind> GlobalKinds(const HttpSettings& http, const CallbackSettings& callback) {
  std::set<Kind> out;
  if (!http.basic_user.empty()) out.insert(Kind::kBasic);
  if (!http.bearer_token.empty()) out.insert(Kind::kBearer);
  if (!callback.secret.empty()) out.insert(Kind::kSignature);
  if (CertificatesCount(http, callback)) out.insert(Kind::kCertificate);
  return out;
}

std::set<Kind> CallerKinds(const CallbackSettings& callback) {
  std::set<Kind> out;
  for (const CallerSettings& caller : callback.callers) {
    if (!caller.basic_user.empty()) out.insert(Kind::kBasic);
    if (!caller.bearer_token.empty()) out.insert(Kind::kBearer);
    if (!caller.hmac_secret.empty()) out.insert(Kind::kSignature);
    if (!caller.certificate_name.empty()) out.insert(Kind::kCertificate);
  }
  return out;
}

bool HasName(const ClientCertificate& certificate, std::string_view name) {
  return certificate.common_name == name ||
         std::find(certificate.names.begin(), certificate.names.end(), name) != certificate.names.end();
}

bool HasAllowedName(const ClientCertificate& certificate, const std::vector<std::string>& allowed) {
  return allowed.empty() || MatchesAny(allowed, certificate.common_name) ||
         std::any_of(certificate.names.begin(), certificate.names.end(),
                     [&](const std::string& name) { return MatchesAny(allowed, name); });
}

Error Refused(std::string_view why) {
  return {ErrorKind::kCredentials, std::string(why), {}, false};
}

}  // namespace

std::optional<Error> StartupProblem(const HttpSettings& http, const CallbackSettings& callback) {
  const std::set<Kind> global = GlobalKinds(http, callback);
  const std::set<Kind> named = CallerKinds(callback);
  if (http.verify_client_cert && http.client_ca_file.empty()) {
    return Error::Config("http.tls.verify_client_cert needs http.tls.client_ca_file",
                         "name the file with the certificate authorities of your callers");
  }
  if (global.empty() && named.empty() && !http.allow_unauthenticated) {
    return Error::Config(
        "callbacks decide access requests, and no authentication is configured",
        "set user and password in [http.basic_auth], or http.bearer_token, webhook.callback_secret, "
        "http.tls.client_ca_file or a [[callback.caller]]");
  }
  if (http.require == config::RequireAuth::kAll && global.contains(Kind::kBasic) &&
      global.contains(Kind::kBearer)) {
    return Error::Config(
        "http.require = \"all\" can never be met: a request has room for basic_auth or bearer_token, not "
        "both",
        "remove one of the two");
  }
  const auto made = Authenticator::Make(http, callback);
  return made ? std::nullopt : std::optional(made.error());
}

Authenticator::Authenticator(HttpSettings http, CallbackSettings callback)
    : http_(std::move(http)), callback_(std::move(callback)) {
  const std::set<Kind> global = GlobalKinds(http_, callback_);
  const std::set<Kind> named = CallerKinds(callback_);
  const auto uses = [&](Kind kind) { return global.contains(kind) || named.contains(kind); };
  if (uses(Kind::kBasic)) challenges_.push_back("Basic " + std::string(kRealm) + ", charset=\"UTF-8\"");
  if (uses(Kind::kBearer)) challenges_.push_back("Bearer " + std::string(kRealm));
  if (challenges_.empty()) challenges_.push_back("Webhook " + std::string(kRealm));
}

Result<std::unique_ptr<Authenticator>> Authenticator::Make(const HttpSettings& http,
                                                           const CallbackSettings& callback) {
  std::unique_ptr<Authenticator> out(new Authenticator(http, callback));
  const auto add = [&](const Secret& secret, const CallerSettings* caller) -> Status {
    if (secret.empty()) return {};
    auto key = crypto::WebhookKey::ForVerifying(secret.Reveal(), SchemeOf(callback));
    if (!key) {
      return key.error().Within(caller == nullptr ? "webhook.callback_secret"
                                                  : "callback.caller " + caller->name + ": hmac_secret");
    }
    out->keys_.push_back({std::move(*key), caller});
    return {};
  };
  if (Status added = add(out->callback_.secret, nullptr); !added) return added.error();
  for (const CallerSettings& caller : out->callback_.callers) {
    if (Status added = add(caller.hmac_secret, &caller); !added) return added.error();
  }
  return out;
}

Result<Identity> Authenticator::Identify(const HttpRequest& request, const SignatureScope& scope,
                                         SystemTime now) const {
  const Evidence evidence = Examine(request, scope, now);
  const Method* const methods[] = {&evidence.basic, &evidence.bearer, &evidence.signature,
                                   &evidence.certificate};
  const CallerSettings* caller = nullptr;
  for (const Method* method : methods) {
    if (method->verdict == Verdict::kWrong)
      return Refused(method->why);  // also beside a right one: something is amiss
    if (method->caller == nullptr) continue;
    if (caller != nullptr && caller != method->caller) return Refused("the credentials are of two callers");
    caller = method->caller;
  }
  if (!Sufficient(evidence, caller)) {
    if (!evidence.signature.why.empty()) return Refused(evidence.signature.why);
    const bool none = std::none_of(std::begin(methods), std::end(methods),
                                   [](const Method* method) { return method->verdict == Verdict::kRight; });
    return Refused(none ? "no credential of a configured kind came along"
                        : "not every credential that is demanded came along");
  }
  return Describe(evidence, caller, request);
}

Authenticator::Evidence Authenticator::Examine(const HttpRequest& request, const SignatureScope& scope,
                                               SystemTime now) const {
  Evidence out;
  ExamineAuthorization(request, out);
  out.signature = ExamineSignature(request, scope, now);
  if (out.signature.verdict == Verdict::kRight) {
    out.webhook_id = FindHeader(request, crypto::kWebhookIdHeader).value_or(std::string_view());
  }
  out.certificate = ExamineCertificate(request);
  return out;
}

void Authenticator::ExamineAuthorization(const HttpRequest& request, Evidence& out) const {
  const auto values = FindHeaders(request, "authorization");
  const std::string_view value = values.size() == 1 ? Trim(values[0]) : std::string_view();
  const auto blank = value.find(' ');
  const std::string scheme = AsciiLower(value.substr(0, blank));
  const std::string_view rest =
      blank == std::string_view::npos ? std::string_view() : Trim(value.substr(blank));
  const auto decoded = scheme == "basic" ? Base64Decode(rest) : std::nullopt;
  const std::string_view pair = decoded ? std::string_view(*decoded) : std::string_view();
  const auto colon = pair.find(':');
  out.basic_user = std::string(pair.substr(0, colon));
  const std::string_view password =
      colon == std::string_view::npos ? std::string_view() : pair.substr(colon + 1);
  // Both are compared whatever came, so that the time says nothing about what is configured.
  out.basic = ExamineBasic(out.basic_user, password);
  out.bearer = ExamineBearer(scheme == "bearer" ? rest : std::string_view());
  if (scheme != "basic") out.basic = {};
  if (scheme != "bearer") out.bearer = {};
  if (values.size() > 1) out.basic = {Verdict::kWrong, false, nullptr, "Authorization came more than once"};
}

Authenticator::Method Authenticator::ExamineBasic(std::string_view user, std::string_view password) const {
  Method out;
  bool configured = false;
  const auto compare = [&](const std::string& right_user, const Secret& right_password) {
    if (right_user.empty()) return false;
    configured = true;
    const bool same_user = ConstantTimeEqual(user, right_user);
    const bool same_password = right_password.Matches(password);
    return static_cast<bool>(static_cast<unsigned>(same_user) & static_cast<unsigned>(same_password)) &&
           !right_password.empty();
  };
  out.global = compare(http_.basic_user, http_.basic_password);
  for (const CallerSettings& caller : callback_.callers) {
    if (compare(caller.basic_user, caller.basic_password)) out.caller = &caller;
  }
  out.why = "user and password fit none that are configured";
  if (configured) out.verdict = out.global || out.caller != nullptr ? Verdict::kRight : Verdict::kWrong;
  return out;
}

Authenticator::Method Authenticator::ExamineBearer(std::string_view token) const {
  Method out;
  bool configured = false;
  const auto compare = [&](const Secret& right) {
    if (right.empty()) return false;
    configured = true;
    return right.Matches(token);
  };
  out.global = compare(http_.bearer_token);
  for (const CallerSettings& caller : callback_.callers) {
    if (compare(caller.bearer_token)) out.caller = &caller;
  }
  out.why = "the bearer token fits none that is configured";
  if (configured) out.verdict = out.global || out.caller != nullptr ? Verdict::kRight : Verdict::kWrong;
  return out;
}

Authenticator::Method Authenticator::ExamineSignature(const HttpRequest& request, const SignatureScope& scope,
                                                      SystemTime now) const {
  Method out;
  if (keys_.empty()) return out;
  const crypto::WebhookScheme scheme = SchemeOf(callback_);
  const bool github = scheme == crypto::WebhookScheme::kGithub;
  const bool presented =
      !FindHeaders(request, github ? crypto::kGithubSignatureHeader : crypto::kWebhookSignatureHeader)
           .empty();
  if (!presented) return out;
  std::vector<crypto::HeaderView> headers;
  for (const auto& [name, value] : request.headers) headers.emplace_back(name, value);
  for (const SigningKey& key : keys_) {
    const auto verdict = crypto::VerifyWebhook(scheme, {&key.key, 1}, headers, request.body, now);
    // What the clock says is said of a key that fits.
    const bool of_the_clock =
        verdict == crypto::SignatureVerdict::kTooOld || verdict == crypto::SignatureVerdict::kTooNew;
    if (out.why.empty() || of_the_clock) out.why = crypto::SignatureVerdictText(verdict);
    if (verdict != crypto::SignatureVerdict::kValid) continue;
    if (key.caller == nullptr)
      out.global = true;
    else
      out.caller = key.caller;
  }
  const bool genuine = out.global || out.caller != nullptr;
  // Genuine, but it does not vouch for this decision: as if it had not come.
  if (genuine && !scope.bound)
    return {.why = "what is signed does not name request_id and decision of the path"};
  if (genuine && github && !scope.secure)
    return {.why = "a signature of GitHub's scheme counts over HTTPS only"};
  out.verdict = genuine ? Verdict::kRight : Verdict::kWrong;
  return out;
}

Authenticator::Method Authenticator::ExamineCertificate(const HttpRequest& request) const {
  Method out;
  if (http_.client_ca_file.empty() || !request.client_certificate) return out;
  const ClientCertificate& certificate = *request.client_certificate;
  for (const CallerSettings& caller : callback_.callers) {
    if (!caller.certificate_name.empty() && HasName(certificate, caller.certificate_name))
      out.caller = &caller;
  }
  out.global = CertificatesCount(http_, callback_) && HasAllowedName(certificate, http_.allowed_names);
  out.verdict = out.global || out.caller != nullptr ? Verdict::kRight : Verdict::kWrong;
  out.why = "the client certificate bears no name that is allowed";
  return out;
}

bool Authenticator::Sufficient(const Evidence& evidence, const CallerSettings* caller) const {
  std::set<Kind> global = GlobalKinds(http_, callback_);
  const std::set<Kind> named = CallerKinds(callback_);
  const auto right = [&](Kind kind) {
    switch (kind) {
      case Kind::kBasic:
        return evidence.basic.verdict == Verdict::kRight;
      case Kind::kBearer:
        return evidence.bearer.verdict == Verdict::kRight;
      case Kind::kSignature:
        return evidence.signature.verdict == Verdict::kRight;
      case Kind::kCertificate:
        return evidence.certificate.verdict == Verdict::kRight;
    }
    return false;
  };
  if (http_.verify_client_cert) {
    if (!right(Kind::kCertificate)) return false;
    const bool rest = global.size() > (global.contains(Kind::kCertificate) ? 1U : 0U) || !named.empty();
    if (!rest) return true;
    if (http_.require == config::RequireAuth::kAny) global.erase(Kind::kCertificate);  // it comes on top
  }
  if (global.empty() && named.empty()) return http_.allow_unauthenticated;
  if (http_.require == config::RequireAuth::kAny)
    return caller != nullptr || std::any_of(global.begin(), global.end(), right);
  const bool caller_needed = !std::includes(global.begin(), global.end(), named.begin(), named.end());
  return std::all_of(global.begin(), global.end(), right) && (!caller_needed || caller != nullptr);
}

Identity Authenticator::Describe(const Evidence& evidence, const CallerSettings* caller,
                                 const HttpRequest& request) const {
  Identity out;
  out.caller = caller;
  if (caller != nullptr) out.names.push_back(caller->name);
  if (evidence.basic.verdict == Verdict::kRight) out.names.push_back(evidence.basic_user);
  if (evidence.certificate.verdict == Verdict::kRight) {
    const ClientCertificate& certificate = *request.client_certificate;
    if (!certificate.common_name.empty()) out.names.push_back(certificate.common_name);
    out.names.insert(out.names.end(), certificate.names.begin(), certificate.names.end());
  }
  if (evidence.signature.verdict == Verdict::kRight) {
    out.names.emplace_back("hmac");
    out.signed_body = true;
    out.signer = evidence.signature.caller == nullptr ? "[webhook]"  // no caller can have this name
                                                      : evidence.signature.caller->name;
    if (callback_.signature == config::SignatureScheme::kStandard) out.webhook_id = evidence.webhook_id;
  }
  if (evidence.bearer.verdict == Verdict::kRight) out.names.emplace_back("bearer");
  if (out.names.empty()) out.names.emplace_back("unauthenticated");
  out.name = out.names.front();
  return out;
}

}  // namespace tw::callback
