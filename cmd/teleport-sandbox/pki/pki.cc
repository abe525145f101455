#include "pki/pki.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "pki/ssh_line.h"

namespace tw::sandbox {
namespace {

constexpr std::chrono::minutes kClockSlack{1};

Error SystemError(std::string_view what, const std::filesystem::path& path) {
  return Error::Failure(fmt::format("{} {}: {}", what, path.string(), std::strerror(errno)));
}

}  // namespace

Result<std::unique_ptr<Pki>> Pki::Make(PkiOptions options, Clock& clock, Random& random) {
  std::error_code failed;
  std::filesystem::create_directories(options.dir, failed);
  if (failed) return Error::Failure(fmt::format("{}: {}", options.dir.string(), failed.message()));
  if (::chmod(options.dir.c_str(), 0700) != 0) return SystemError("chmod", options.dir);
  std::unique_ptr<Pki> pki(new Pki(std::move(options), clock, random));
  std::lock_guard lock(pki->mutex_);
  if (Status ok = pki->BeginRotationLocked(); !ok) return ok.error();
  if (Status ok = pki->MakeServerLocked(pki->host_cas_.back()); !ok) return ok.error();
  return pki;
}

Status Pki::BeginRotationLocked() {
  for (std::vector<Authority>* cas : {&host_cas_, &user_cas_}) {
    auto made = Authority::Make(options_.cluster, clock_.Now());
    if (!made) return made.error();
    cas->push_back(*std::move(made));
  }
  return {};
}

Status Pki::MakeServerLocked(const Authority& signer) {
  const auto key = KeyPair::Make(options_.key_type);
  if (!key) return key.error();
  LeafRequest leaf;
  leaf.common_name = "teleport.cluster.local";
  leaf.organizations = {"Admin"};
  leaf.dns_names = {"teleport.cluster.local", "*.teleport.cluster.local", "localhost", "127.0.0.1"};
  leaf.not_before = clock_.Now() - kClockSlack;
  leaf.not_after = clock_.Now() + options_.server_life;
  auto certificate = signer.Issue(*key, leaf);
  if (!certificate) return certificate.error();
  server_key_pem_ = key->PrivatePem();
  server_certificate_pem_ = *std::move(certificate);
  return {};
}

Status Pki::WriteUser(const UserSubject& user, std::chrono::seconds life) {
  const auto key = KeyPair::Make(options_.key_type);
  if (!key) return key.error();
  LeafRequest leaf;
  leaf.common_name = user.name;
  leaf.organizations = user.roles;
  leaf.extra_names = {{kOidCluster, options_.cluster}};
  if (user.impersonated) leaf.extra_names.emplace_back(kOidImpersonator, "sandbox." + options_.cluster);
  for (const std::string& id : user.active_requests) leaf.extra_names.emplace_back(kOidActiveRequests, id);
  if (life.count() == 0) life = options_.user_life;
  leaf.not_after = clock_.Now() + life;
  leaf.not_before = std::min<SystemTime>(clock_.Now(), leaf.not_after) - kClockSlack;

  std::lock_guard lock(mutex_);
  auto certificate = user_cas_.back().Issue(*key, leaf);
  if (!certificate) return certificate.error();
  std::string host_cas;
  std::string ssh_cas;
  for (const Authority& ca : host_cas_) {
    host_cas += ca.CertificatePem();
    ssh_cas += SshAuthorityLine(ca.key(), options_.cluster) + "\n";
  }
  const auto ssh =
      SshCertificateLine(*key, user_cas_.back().key(), user.name, leaf.not_before, leaf.not_after, random_);
  if (!ssh) return ssh.error();
  const std::string identity = key->PrivatePem() + *ssh + "\n" + *certificate + ssh_cas + host_cas;
  for (const auto& [suffix, text] : {std::pair{".cas", host_cas},
                                     {".identity", identity},
                                     {".key", key->PrivatePem()},
                                     {".crt", *certificate}}) {
    if (Status ok = WriteFile(user.name + suffix, text); !ok) return ok;
  }
  return {};
}

ServerIdentity Pki::Server() const {
  std::lock_guard lock(mutex_);
  std::string roots;
  for (const Authority& ca : user_cas_) roots += ca.CertificatePem();
  return {server_key_pem_, server_certificate_pem_, roots};
}

Status Pki::Rotate(RotationPhase phase) {
  std::lock_guard lock(mutex_);
  switch (phase) {
    case RotationPhase::kUpdateClients:
      return BeginRotationLocked();
    case RotationPhase::kUpdateServers:
      return MakeServerLocked(host_cas_.back());
    case RotationPhase::kStandby:
      host_cas_.erase(host_cas_.begin(), host_cas_.end() - 1);
      user_cas_.erase(user_cas_.begin(), user_cas_.end() - 1);
      return MakeServerLocked(host_cas_.back());
  }
  return {};
}

Result<ServerIdentity> Pki::MakeWebIdentity(const std::vector<std::string>& names) {
  const auto authority = Authority::Make("Sandbox web", clock_.Now());
  if (!authority) return authority.error();
  const auto key = KeyPair::Make(options_.key_type);
  if (!key) return key.error();
  LeafRequest leaf;
  leaf.common_name = names.empty() ? "localhost" : names.front();
  leaf.dns_names = names;
  leaf.not_before = clock_.Now() - kClockSlack;
  leaf.not_after = clock_.Now() + options_.server_life;
  auto certificate = authority->Issue(*key, leaf);
  if (!certificate) return certificate.error();
  if (Status ok = WriteFile("web.cas", authority->CertificatePem()); !ok) return ok.error();
  return ServerIdentity{key->PrivatePem(), *std::move(certificate), {}};
}

std::vector<std::string> Pki::HostCas() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> pems;
  for (const Authority& ca : host_cas_) pems.push_back(ca.CertificatePem());
  return pems;
}

Status Pki::WriteFile(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = options_.dir / name;
  const std::filesystem::path fresh = options_.dir / ("." + name + ".new");
  {
    UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return SystemError("open", fresh);
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(fd.get(), text.data() + done, text.size() - done);
      if (n < 0) return SystemError("write", fresh);
      done += static_cast<std::size_t>(n);
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return SystemError("rename", fresh);
  return {};
}

}  // namespace tw::sandbox
