// The sandbox's certificates on disk: host and user CA, the server's certificate, and each user's credentials
// in the forms that `tctl auth sign` writes. Facts: reference page sections 5.2 to 5.4 and 5.10. Any thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "pki/authority.h"

namespace tw::sandbox {

struct PkiOptions {
  std::filesystem::path dir;  // made with mode 0700 when missing
  std::string cluster;
  KeyType key_type = KeyType::kEc;
  std::chrono::seconds user_life = std::chrono::hours(24 * 30);
  std::chrono::seconds server_life = std::chrono::hours(24 * 365);
};

struct UserSubject {
  std::string name;
  std::vector<std::string> roles;
  // As if signed on the auth host, which frees administrative calls from MFA (section 5.9).
  bool impersonated = false;
  std::vector<std::string> active_requests;
};

// What the server's TLS needs at this moment.
struct ServerIdentity {
  std::string key_pem;
  std::string certificate_pem;
  std::string client_roots_pem;  // all user CAs that count now
};

enum class RotationPhase {
  kUpdateClients,  // both CAs are trusted everywhere; users are signed by the new one, the server still by
                   // the old
  kUpdateServers,  // the server's certificate comes from the new host CA as well
  kStandby,        // the old CAs are gone
};

class Pki {
 public:
  // Makes the CAs and the server's certificate. Borrows clock and random.
  static Result<std::unique_ptr<Pki>> Make(PkiOptions options, Clock& clock, Random& random);

  // Signs the user anew and writes NAME.key, NAME.crt, NAME.cas and NAME.identity, each put in place by
  // rename, mode 0600. `life` may be in the past: an expired certificate. Zero: the usual life.
  Status WriteUser(const UserSubject& user, std::chrono::seconds life = std::chrono::seconds(0));
  ServerIdentity Server() const;

  // Begins or carries on a rotation of both CAs. Files written before stay as they are; call WriteUser again.
  Status Rotate(RotationPhase phase);
  // A certificate for the web port, not signed by the host CA; its own CA is written to web.cas.
  Result<ServerIdentity> MakeWebIdentity(const std::vector<std::string>& names);

  std::vector<std::string> HostCas() const;
  const std::filesystem::path& dir() const { return options_.dir; }

 private:
  Pki(PkiOptions options, Clock& clock, Random& random)
      : options_(std::move(options)), clock_(clock), random_(random) {}
  Status MakeServerLocked(const Authority& signer);
  Status BeginRotationLocked();
  Status WriteFile(const std::string& name, const std::string& text) const;

  const PkiOptions options_;
  Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  // The newest is last; more than one during a rotation.
  std::vector<Authority> host_cas_;
  std::vector<Authority> user_cas_;
  std::string server_key_pem_;
  std::string server_certificate_pem_;
};

}  // namespace tw::sandbox
