#include "callback/tls_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/read_file.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "base/url.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "crypto/self_signed.h"

namespace tw::callback {
namespace {

constexpr std::chrono::days kSelfSignedLifetime{3652};  // ten years, as the original's

std::string Reason(int error) {
  return std::generic_category().message(error);
}

Error Bad(const std::string& path, const Error& error) {
  return Error::Config(fmt::format("{}: {}", path, error.message), error.hint);
}

// Written beside and renamed, so that no moment shows half a file.
Status WriteFile(const std::string& path, std::string_view text, mode_t mode) {
  const std::string temporary = path + ".new";
  const auto failed = [&](int error) {
    return Error::Failure(fmt::format("cannot write {}: {}", path, Reason(error)));
  };
  ::unlink(temporary.c_str());
  const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return failed(errno);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(fd.get()) != 0)
    return failed(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed(errno);
  return {};
}

std::vector<std::string> OwnNames(const std::string& public_addr) {
  std::vector<std::string> out;
  const auto add = [&](std::string name) {
    if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  };
  if (!public_addr.empty()) {
    const bool has_scheme = public_addr.find("://") != std::string::npos;
    if (const auto url = ParseUrl(has_scheme ? public_addr : "https://" + public_addr)) add(url->host);
  }
  add("localhost");
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) add(AsciiLower(host.data()));
  add("127.0.0.1");
  add("::1");
  return out;
}

bool StillGood(const TlsPaths& paths, SystemTime now) {
  const auto material = LoadTls(paths);
  if (!material) return false;
  const auto certificate = crypto::ReadCertificate(material->chain_der.front());
  return certificate && certificate->ValidAt(now);
}

}  // namespace

Result<TlsMaterial> LoadTls(const TlsPaths& paths) {
  const auto key_text = ReadFile(paths.key_file);
  if (!key_text) return key_text.error();
  const auto certificate_text = ReadFile(paths.certificate_file);
  if (!certificate_text) return certificate_text.error();
  auto key = crypto::ReadPrivateKey(key_text->Reveal());
  if (!key) return Bad(paths.key_file, key.error());
  const auto chain = crypto::ReadCertificates(certificate_text->Reveal());
  if (!chain) return Bad(paths.certificate_file, chain.error());
  if (!crypto::KeyMatches(*key, chain->front().der)) {
    return Error::Config(fmt::format("{} does not belong to the first certificate in {}", paths.key_file,
                                     paths.certificate_file),
                         "put its own certificate first, before those of its issuers, and use its key");
  }
  TlsMaterial out;
  out.key_der = std::move(*key);
  for (const crypto::Certificate& each : *chain) out.chain_der.push_back(each.der);
  out.require_client_certificate = paths.require_client_certificate;
  if (paths.client_ca_file.empty()) return out;
  const auto ca_text = ReadFile(paths.client_ca_file);
  if (!ca_text) return ca_text.error();
  const auto authorities = crypto::ReadCertificates(ca_text->Reveal());
  if (!authorities) return Bad(paths.client_ca_file, authorities.error());
  for (const crypto::Certificate& each : *authorities) out.client_ca_der.push_back(each.der);
  return out;
}

Result<TlsPaths> EnsureSelfSigned(const std::string& directory, const std::string& public_addr,
                                  SystemTime now, Logger& log) {
  TlsPaths paths;
  paths.key_file = directory + "/server.key";
  paths.certificate_file = directory + "/server.crt";
  if (StillGood(paths, now)) return paths;
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::Failure(fmt::format("cannot make {}: {}", directory, Reason(errno)),
                          "make it, or name another in state.dir");
  }
  const auto made = crypto::MakeSelfSigned(OwnNames(public_addr), now, kSelfSignedLifetime);
  if (!made) return made.error();
  if (Status written = WriteFile(paths.key_file, made->key_pem.Reveal(), 0600); !written)
    return written.error();
  if (Status written = WriteFile(paths.certificate_file, made->certificate_pem, 0644); !written)
    return written.error();
  log.Info("made a self-signed certificate for the callback listener", {{"file", paths.certificate_file}});
  return paths;
}

TlsWatch::TlsWatch(TlsPaths paths) : paths_(std::move(paths)), seen_(State()) {}

std::optional<Result<TlsMaterial>> TlsWatch::Poll() {
  std::string state = State();
  if (state == seen_) return std::nullopt;
  seen_ = std::move(state);
  return LoadTls(paths_);
}

std::string TlsWatch::State() const {
  std::string out;
  for (const std::string& path : {paths_.key_file, paths_.certificate_file, paths_.client_ca_file}) {
    struct stat info {};
    if (path.empty() || ::stat(path.c_str(), &info) != 0) {
      out += "-;";
      continue;
    }
    out += fmt::format("{}:{}:{}.{};", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  return out;
}

}  // namespace tw::callback
