#include "teleport/tls_failure.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <cstring>

#include "base/duration.h"
#include "base/text.h"

namespace tw::teleport {
namespace {

constexpr char kRouteHint[] =
    "teleport.addr may be another service, or a proxy: see teleport.route; for another cluster, other CAs "
    "are needed";

TlsFailure Fail(TlsCause cause, ErrorKind kind, std::string message, std::string hint = {},
                bool retryable = true) {
  return {cause, {kind, EscapeControls(message), std::move(hint), retryable}};
}

std::string Whose(const VerifyReport& report) {
  return report.depth == 0 ? "certificate" : "CA certificate";
}

std::string CaNames(const TlsOptions& options) {
  std::vector<std::string> names;
  if (options.credentials != nullptr) {
    for (const crypto::Certificate& ca : options.credentials->cas) names.push_back(ca.subject);
  }
  return fmt::format("{}", fmt::join(names, "; "));
}

TlsFailure DatesFailure(const VerifyReport& report, const TlsOptions& options) {
  const crypto::Certificate none;
  const crypto::Certificate& culprit = report.culprit ? *report.culprit : none;
  if (report.code == X509_V_ERR_CERT_HAS_EXPIRED) {
    return Fail(TlsCause::kDates, ErrorKind::kCredentials,
                fmt::format("the {} that {} presents ({}) expired on {}", Whose(report), options.peer,
                            culprit.subject, FormatTime(culprit.not_after)),
                "renew it on the Teleport side, or set the clock of this machine");
  }
  return Fail(TlsCause::kDates, ErrorKind::kCredentials,
              fmt::format("the {} that {} presents ({}) is not valid before {}", Whose(report), options.peer,
                          culprit.subject, FormatTime(culprit.not_before)),
              "set the clock of this machine: it seems to be behind");
}

TlsFailure UntrustedFailure(const VerifyReport& report, const TlsOptions& options) {
  const crypto::Certificate none;
  const crypto::Certificate& leaf = report.leaf ? *report.leaf : none;
  if (options.trust == Trust::kWeb) {
    return Fail(
        TlsCause::kUntrusted, ErrorKind::kUnreachable,
        fmt::format("the web certificate of {} ({}, issued by {}) is not trusted by this system: {}",
                    options.peer, leaf.subject, leaf.issuer, X509_verify_cert_error_string(report.code)),
        "make its CA known to this system (update-ca-certificates), or to this program alone with the "
        "environment variable SSL_CERT_FILE");
  }
  return Fail(
      TlsCause::kUntrusted, ErrorKind::kCredentials,
      fmt::format("{} presents a certificate ({}, issued by {}) that no CA in {} has signed (CAs there: {})",
                  options.peer, leaf.subject, leaf.issuer,
                  options.credentials != nullptr ? options.credentials->ca_file : "", CaNames(options)),
      kRouteHint);
}

TlsFailure NameFailure(const VerifyReport& report, const TlsOptions& options) {
  std::vector<std::string> names;
  if (report.leaf) names = report.leaf->names;
  return Fail(TlsCause::kWrongName, ErrorKind::kCredentials,
              fmt::format("{} presents a certificate for {}, not for {}", options.peer,
                          names.empty() ? "no name at all" : fmt::format("{}", fmt::join(names, ", ")),
                          options.server_name),
              kRouteHint);
}

// Alerts (RFC 8446 section 6) that a peer sends about our certificate.
std::string_view CertificateAlert(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
      return "bad certificate";
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
      return "unsupported certificate";
    case SSL_AD_CERTIFICATE_REVOKED:
      return "certificate revoked";
    case SSL_AD_CERTIFICATE_EXPIRED:
      return "certificate expired";
    case SSL_AD_CERTIFICATE_UNKNOWN:
      return "certificate unknown";
    case SSL_AD_UNKNOWN_CA:
      return "unknown CA";
    case SSL_AD_ACCESS_DENIED:
      return "access denied";
    case SSL_AD_CERTIFICATE_REQUIRED:
      return "certificate required";
    default:
      return {};
  }
}

TlsFailure AlertFailure(int alert, const std::string& peer, const std::string& ours) {
  if (const std::string_view text = CertificateAlert(alert); !text.empty()) {
    return Fail(TlsCause::kRefusedUs, ErrorKind::kCredentials,
                fmt::format("{} refused our client certificate ({}): {}", peer, ours, text),
                "sign a new certificate with `tctl auth sign` of this cluster; the cluster's user CA may "
                "have been rotated");
  }
  if (alert == SSL_AD_NO_APPLICATION_PROTOCOL) {
    return Fail(TlsCause::kAlpn, ErrorKind::kUnreachable,
                fmt::format("{} does not speak HTTP/2 with us (TLS alert 120)", peer), kRouteHint);
  }
  return Fail(TlsCause::kOther, ErrorKind::kUnreachable,
              fmt::format("{} ended the TLS handshake: {}", peer, SSL_alert_desc_string_long(alert)),
              kRouteHint);
}

bool LooksLikePlainText(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
         reason == SSL_R_HTTPS_PROXY_REQUEST || reason == SSL_R_PACKET_LENGTH_TOO_LONG ||
         reason == SSL_R_RECORD_LENGTH_MISMATCH || reason == SSL_R_BAD_RECORD_TYPE;
}

}  // namespace

TlsFailure VerifyFailure(const VerifyReport& report, const TlsOptions& options) {
  switch (report.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return DatesFailure(report, options);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return NameFailure(report, options);
    default:
      return UntrustedFailure(report, options);
  }
}

TlsFailure QueueFailure(int ssl_error, int saved_errno, const std::string& peer, const std::string& ours) {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (ssl_error == SSL_ERROR_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL) {
    const int reason = ERR_GET_REASON(code);
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      return Fail(TlsCause::kClosed, ErrorKind::kUnreachable, fmt::format("{} closed the connection", peer));
    }
    if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
      return AlertFailure(reason - SSL_AD_REASON_OFFSET, peer, ours);
    }
    if (LooksLikePlainText(reason)) {
      return Fail(TlsCause::kNotTls, ErrorKind::kUnreachable,
                  fmt::format("{} does not speak TLS: it is not Teleport", peer),
                  "check teleport.addr (Auth Service 3025, proxy 443 or 3080)");
    }
  }
  if (ssl_error == SSL_ERROR_SYSCALL || ssl_error == SSL_ERROR_ZERO_RETURN) {
    const bool closed = saved_errno == 0 || saved_errno == ECONNRESET || saved_errno == EPIPE;
    return Fail(closed ? TlsCause::kClosed : TlsCause::kNetwork, ErrorKind::kUnreachable,
                saved_errno != 0
                    ? fmt::format("the connection to {} broke: {}", peer, std::strerror(saved_errno))
                    : fmt::format("{} closed the connection", peer));
  }
  char text[256];
  ERR_error_string_n(code, text, sizeof(text));
  return Fail(TlsCause::kOther, ErrorKind::kUnreachable, fmt::format("TLS with {} failed: {}", peer, text),
              kRouteHint);
}

TlsFailure AlpnFailure(const std::string& peer, const std::string& chosen) {
  return Fail(TlsCause::kAlpn, ErrorKind::kUnreachable,
              fmt::format("{} is not an Auth Service: it chose {} instead of h2", peer,
                          chosen.empty() ? "no protocol" : "the protocol " + chosen),
              kRouteHint);
}

}  // namespace tw::teleport
