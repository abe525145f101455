#include "verbs/certificate_report.h"

#include <fmt/format.h>

#include "base/duration.h"
#include "base/text.h"
#include "config/files.h"
#include "crypto/certificate.h"

namespace tw::cli {
namespace {

Finding AuthoritiesReport(const std::string& path) {
  const auto file = config::RealFiles().Read(path);
  if (!file) return Problem(file.error());
  const auto authorities = crypto::ReadCertificates(file->text);
  if (!authorities) {
    return Problem(ErrorKind::kConfig,
                   fmt::format("{}: {}", EscapeControls(path), authorities.error().message),
                   "put the certificate of the receiver's authority into ca_file, as PEM");
  }
  return Fine(fmt::format("{} is trusted for its certificate", EscapeControls(path)));
}

}  // namespace

Finding PairReport(const callback::TlsPaths& paths, SystemTime now, std::chrono::milliseconds warn_expiry) {
  const auto material = callback::LoadTls(paths);
  if (!material) return Problem(material.error());
  const auto certificate = crypto::ReadCertificate(material->chain_der.front());
  if (!certificate) return Problem(certificate.error());
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(certificate->not_after - now);
  const std::string until = FormatTime(certificate->not_after);
  if (left.count() < 0) {
    return Problem(ErrorKind::kConfig, fmt::format("{} expired on {}", paths.certificate_file, until),
                   "renew it; it is read again by itself");
  }
  if (left < warn_expiry)
    return Warning(fmt::format("{} expires on {}", paths.certificate_file, until), "renew it");
  return Fine(fmt::format("certificate valid until {}", until));
}

std::vector<Finding> EndpointFilesReport(const config::EndpointSettings& endpoint, SystemTime now,
                                         std::chrono::milliseconds warn_expiry) {
  std::vector<Finding> out;
  if (!endpoint.ca_file.empty()) out.push_back(AuthoritiesReport(endpoint.ca_file));
  if (!endpoint.cert_file.empty()) {
    callback::TlsPaths paths;
    paths.key_file = endpoint.key_file;
    paths.certificate_file = endpoint.cert_file;
    out.push_back(PairReport(paths, now, warn_expiry));
  }
  return out;
}

}  // namespace tw::cli
