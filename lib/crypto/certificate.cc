#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/pem.h"

namespace tw::crypto {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

std::string Utf8(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int length = ASN1_STRING_to_UTF8(&bytes, text);
  if (length < 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return out;
}

std::vector<std::string> Attributes(const X509_NAME* name, int nid) {
  std::vector<std::string> out;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
    out.push_back(Utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
  }
  return out;
}

std::string First(const std::vector<std::string>& values) {
  return values.empty() ? std::string() : values.front();
}

std::map<std::string, std::string> AttributesByOid(const X509_NAME* name) {
  std::map<std::string, std::string> out;
  for (int at = 0; at < X509_NAME_entry_count(name); ++at) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, at);
    char oid[128];
    if (OBJ_obj2txt(oid, sizeof(oid), X509_NAME_ENTRY_get_object(entry), 1) > 0) {
      out[oid] = Utf8(X509_NAME_ENTRY_get_data(entry));
    }
  }
  return out;
}

std::string OneLine(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

SystemTime TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return SystemTime(std::chrono::seconds(timegm(&parts)));
}

// Nothing for an entry of any other length: a peer's certificate may hold what it likes.
std::optional<std::string> IpText(const ASN1_OCTET_STRING* address) {
  const int length = ASN1_STRING_length(address);
  if (length != sizeof(in_addr) && length != sizeof(in6_addr)) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = {};
  const int family = length == sizeof(in_addr) ? AF_INET : AF_INET6;
  inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text));
  return text;
}

// Takes back the complaints that reading leaves in libcrypto's queue, where the next TLS call of this thread
// would find them, and no others: certificates are also read in the midst of a handshake.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

std::vector<std::string> NamesOf(X509* certificate) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int at = 0; at < sk_GENERAL_NAME_num(names.get()); ++at) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), at);
    if (name->type == GEN_DNS) out.push_back(Utf8(name->d.dNSName));
    if (name->type != GEN_IPADD) continue;
    if (auto address = IpText(name->d.iPAddress)) out.push_back(std::move(*address));
  }
  return out;
}

}  // namespace

Result<Certificate> ReadCertificate(std::string_view der) {
  const QuietErrors quiet;
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const X509Ptr x509(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())), X509_free);
  if (!x509) return Error{ErrorKind::kCredentials, "not an X.509 certificate", {}, true};
  const X509_NAME* subject = X509_get_subject_name(x509.get());
  const X509_NAME* issuer = X509_get_issuer_name(x509.get());
  Certificate out;
  out.common_name = First(Attributes(subject, NID_commonName));
  out.organizations = Attributes(subject, NID_organizationName);
  out.usages = Attributes(subject, NID_organizationalUnitName);
  out.other = AttributesByOid(subject);
  out.subject = OneLine(subject);
  out.issuer = OneLine(issuer);
  out.issuer_common_name = First(Attributes(issuer, NID_commonName));
  out.issuer_organization = First(Attributes(issuer, NID_organizationName));
  out.names = NamesOf(x509.get());
  out.not_before = TimeOf(X509_get0_notBefore(x509.get()));
  out.not_after = TimeOf(X509_get0_notAfter(x509.get()));
  out.fingerprint = HexEncode(Sha256(der));
  out.der = std::string(der);
  return out;
}

Result<std::vector<Certificate>> ReadCertificates(std::string_view pem) {
  const Result<PemText> text = ScanPem(pem);
  if (!text) return text.error();
  std::vector<Certificate> out;
  for (const PemBlock& block : text->blocks) {
    if (block.label != "CERTIFICATE" && block.label != "X509 CERTIFICATE" &&
        block.label != "TRUSTED CERTIFICATE")
      continue;
    Result<Certificate> one = ReadCertificate(block.der.Reveal());
    if (!one) return one.error().Within(fmt::format("line {}", block.line));
    out.push_back(std::move(*one));
  }
  if (out.empty()) return Error{ErrorKind::kCredentials, "holds no certificate", {}, true};
  return out;
}

}  // namespace tw::crypto
