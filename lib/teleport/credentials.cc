#include "teleport/credentials.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/duration.h"
#include "base/read_file.h"
#include "crypto/digest.h"
#include "crypto/private_key.h"
#include "teleport/identity_file.h"

namespace tw::teleport {
namespace {

constexpr char kClusterOid[] = "1.3.9999.1.7";

// Gathers what is wrong, so that all of it is told at once.
class Problems {
 public:
  template <class T>
  std::optional<T> Take(Result<T> result, const std::string& path = {}) {
    if (result) return std::move(*result);
    messages_.push_back(path.empty() ? result.error().message
                                     : fmt::format("{}: {}", path, result.error().message));
    if (hint_.empty()) hint_ = result.error().hint;
    return std::nullopt;
  }
  bool any() const { return !messages_.empty(); }
  Error Together() const {
    return {
        ErrorKind::kCredentials, fmt::format("Teleport credentials: {}", fmt::join(messages_, "; ")),
        hint_.empty()
            ? "sign them with `tctl auth sign` (README, prerequisites), or correct the paths in [teleport]"
            : hint_,
        true};
  }

 private:
  std::vector<std::string> messages_;
  std::string hint_;
};

Result<Credentials> LoadIdentity(const std::string& path) {
  Problems problems;
  const auto text = problems.Take(ReadFile(path));
  if (!text) return problems.Together();
  auto identity = problems.Take(ParseIdentityFile(text->Reveal()), path);
  if (!identity) return problems.Together();
  return Credentials{std::move(identity->key), std::move(identity->certificate), std::move(identity->cas),
                     path, path};
}

Result<Credentials> LoadTriple(const config::TeleportSettings& settings) {
  Problems problems;
  const auto key_text = problems.Take(ReadFile(settings.client_key));
  const auto crt_text = problems.Take(ReadFile(settings.client_crt));
  const auto cas_text = problems.Take(ReadFile(settings.root_cas));
  std::optional<Secret> key;
  std::optional<std::vector<crypto::Certificate>> certificates, cas;
  if (key_text) key = problems.Take(crypto::ReadPrivateKey(key_text->Reveal()), settings.client_key);
  if (crt_text)
    certificates = problems.Take(crypto::ReadCertificates(crt_text->Reveal()), settings.client_crt);
  if (cas_text) cas = problems.Take(crypto::ReadCertificates(cas_text->Reveal()), settings.root_cas);
  if (problems.any()) return problems.Together();
  if (!crypto::KeyMatches(*key, certificates->front().der)) {
    return Error{ErrorKind::kCredentials,
                 fmt::format("Teleport credentials: the key {} does not belong to the certificate {}",
                             settings.client_key, settings.client_crt),
                 "both files must come from the same `tctl auth sign` (or renewal)", true};
  }
  // Only the first is ever sent: the Auth Service refuses intermediates.
  return Credentials{std::move(*key), std::move(certificates->front()), std::move(*cas), settings.client_crt,
                     settings.root_cas};
}

}  // namespace

std::string Credentials::cluster() const {
  if (const auto named = certificate.other.find(kClusterOid); named != certificate.other.end())
    return named->second;
  return certificate.issuer_organization.empty() ? certificate.issuer_common_name
                                                 : certificate.issuer_organization;
}

std::string Credentials::Fingerprint() const {
  std::string all = certificate.fingerprint;
  for (const crypto::Certificate& ca : cas) all += ca.fingerprint;
  return all;
}

std::vector<std::string> CredentialFiles(const config::TeleportSettings& settings) {
  if (!settings.identity.empty()) return {settings.identity};
  if (settings.client_key.empty() && settings.client_crt.empty() && settings.root_cas.empty()) return {};
  return {settings.client_key, settings.client_crt, settings.root_cas};
}

Result<Credentials> LoadCredentials(const config::TeleportSettings& settings) {
  if (!settings.identity.empty()) return LoadIdentity(settings.identity);
  if (CredentialFiles(settings).empty()) {
    return Error{ErrorKind::kCredentials, "no Teleport credentials are configured",
                 "set teleport.identity, or teleport.client_key, client_crt and root_cas", false};
  }
  return LoadTriple(settings);
}

std::optional<Error> DateProblem(const Credentials& credentials, SystemTime now) {
  const crypto::Certificate& certificate = credentials.certificate;
  if (now > certificate.not_after) {
    return Error{
        ErrorKind::kCredentials,
        fmt::format("our client certificate {} (user {}) expired on {}", credentials.certificate_file,
                    credentials.user(), FormatTime(certificate.not_after)),
        "sign a new one with `tctl auth sign`, or see why the bot no longer renews it", true};
  }
  if (now < certificate.not_before) {
    return Error{
        ErrorKind::kCredentials,
        fmt::format(
            "our client certificate {} (user {}) is not valid before {}; this machine's clock says {}",
            credentials.certificate_file, credentials.user(), FormatTime(certificate.not_before),
            FormatTime(now)),
        "set the clock of this machine", true};
  }
  return std::nullopt;
}

}  // namespace tw::teleport
