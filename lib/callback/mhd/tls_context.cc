#include "callback/mhd/tls_context.h"

#include <fmt/format.h>
#include <gnutls/x509.h>

#include <array>
#include <utility>

namespace tw::callback {
namespace {

thread_local const TlsContext* served = nullptr;

struct CertificateFree {
  void operator()(gnutls_x509_crt_t crt) const { gnutls_x509_crt_deinit(crt); }
};
using CertificatePtr = std::unique_ptr<std::remove_pointer_t<gnutls_x509_crt_t>, CertificateFree>;

gnutls_datum_t Datum(std::string_view bytes) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
          static_cast<unsigned int>(bytes.size())};
}

Error Unusable(std::string_view what, int code) {
  return Error::Config(fmt::format("the {} cannot be used for TLS: {}", what, gnutls_strerror(code)));
}

CertificatePtr Import(const gnutls_datum_t& der) {
  gnutls_x509_crt_t crt = nullptr;
  if (gnutls_x509_crt_init(&crt) != GNUTLS_E_SUCCESS) return nullptr;
  CertificatePtr owner(crt);
  return gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS ? std::move(owner)
                                                                                    : nullptr;
}

std::string CommonName(gnutls_x509_crt_t crt) {
  std::array<char, 512> text{};
  std::size_t size = text.size();
  if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text.data(), &size) !=
      GNUTLS_E_SUCCESS)
    return {};
  return {text.data(), size};
}

std::vector<std::string> AlternativeNames(gnutls_x509_crt_t crt) {
  std::vector<std::string> out;
  for (unsigned int i = 0;; ++i) {
    std::array<char, 1024> text{};
    std::size_t size = text.size();
    const int type = gnutls_x509_crt_get_subject_alt_name(crt, i, text.data(), &size, nullptr);
    if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) break;
    if (type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_RFC822NAME || type == GNUTLS_SAN_URI) {
      out.emplace_back(text.data(), size);
    } else if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER) {
      break;
    }
  }
  return out;
}

// In the handshake, when the client must show a certificate: an unverified one ends it with an alert.
int DemandVerified(gnutls_session_t session) {
  return served != nullptr && served->Current()->Verify(session) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

}  // namespace

Result<std::shared_ptr<TlsGeneration>> TlsGeneration::Make(const TlsMaterial& material) {
  std::shared_ptr<TlsGeneration> out(new TlsGeneration);
  gnutls_x509_privkey_t key = nullptr;
  if (const int error = gnutls_x509_privkey_init(&key); error != 0) return Unusable("private key", error);
  const gnutls_datum_t key_der = Datum(material.key_der.Reveal());
  int error =
      gnutls_x509_privkey_import_pkcs8(key, &key_der, GNUTLS_X509_FMT_DER, nullptr, GNUTLS_PKCS_PLAIN);
  if (error == 0) error = gnutls_privkey_init(&out->key_);
  if (error == 0) error = gnutls_privkey_import_x509(out->key_, key, GNUTLS_PRIVKEY_IMPORT_COPY);
  gnutls_x509_privkey_deinit(key);
  if (error != 0) return Unusable("private key", error);

  for (const std::string& der : material.chain_der) {
    const gnutls_datum_t datum = Datum(der);
    gnutls_pcert_st entry{};
    error = gnutls_pcert_import_x509_raw(&entry, &datum, GNUTLS_X509_FMT_DER, 0);
    if (error != 0) return Unusable("certificate", error);
    out->chain_.push_back(entry);
  }
  if (out->chain_.empty()) return Unusable("certificate", GNUTLS_E_NO_CERTIFICATE_FOUND);

  out->requires_client_ = material.require_client_certificate;
  if (material.client_ca_der.empty()) {
    if (out->requires_client_)
      return Error::Config("client certificates are required, and no client CA is given");
    return out;
  }
  if (error = gnutls_x509_trust_list_init(&out->trust_, 0); error != 0) return Unusable("client CA", error);
  for (const std::string& der : material.client_ca_der) {
    CertificatePtr authority = Import(Datum(der));
    if (!authority) return Unusable("client CA", GNUTLS_E_ASN1_DER_ERROR);
    gnutls_x509_crt_t raw = authority.release();  // the list's from here on, also when it is a duplicate
    gnutls_x509_trust_list_add_cas(out->trust_, &raw, 1, GNUTLS_TL_NO_DUPLICATES);
  }
  return out;
}

TlsGeneration::~TlsGeneration() {
  for (gnutls_pcert_st& entry : chain_) gnutls_pcert_deinit(&entry);
  if (key_ != nullptr) gnutls_privkey_deinit(key_);
  if (trust_ != nullptr) gnutls_x509_trust_list_deinit(trust_, 1);
}

std::optional<ClientCertificate> TlsGeneration::Verify(gnutls_session_t session) const {
  if (trust_ == nullptr || gnutls_certificate_type_get2(session, GNUTLS_CTYPE_CLIENT) != GNUTLS_CRT_X509)
    return std::nullopt;
  unsigned int count = 0;
  const gnutls_datum_t* const raw = gnutls_certificate_get_peers(session, &count);
  constexpr unsigned int kLongestChain = 8;
  if (raw == nullptr || count == 0 || count > kLongestChain) return std::nullopt;
  std::vector<CertificatePtr> owners;
  std::vector<gnutls_x509_crt_t> chain;
  for (unsigned int i = 0; i < count; ++i) {
    CertificatePtr each = Import(raw[i]);
    if (!each) return std::nullopt;
    chain.push_back(each.get());
    owners.push_back(std::move(each));
  }
  std::string purpose = GNUTLS_KP_TLS_WWW_CLIENT;
  gnutls_typed_vdata_st wanted{};
  wanted.type = GNUTLS_DT_KEY_PURPOSE_OID;
  wanted.data = reinterpret_cast<unsigned char*>(purpose.data());
  unsigned int status = 0;
  const int error =
      gnutls_x509_trust_list_verify_crt2(trust_, chain.data(), count, &wanted, 1, 0, &status, nullptr);
  if (error != GNUTLS_E_SUCCESS || status != 0) return std::nullopt;
  return ClientCertificate{CommonName(chain[0]), AlternativeNames(chain[0])};
}

void TlsContext::Replace(std::shared_ptr<TlsGeneration> next) {
  const SteadyTime now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  while (!retired_.empty() && retired_.front().free_after <= now) retired_.pop_front();
  retired_.push_back({std::exchange(current_, std::move(next)), now + handshake_limit_});
}

std::shared_ptr<TlsGeneration> TlsContext::Current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void TlsContext::ServeThisThread() const {
  served = this;
}

int TlsContext::Retrieve(gnutls_session_t session, const gnutls_datum_t*, int, const gnutls_pk_algorithm_t*,
                         int, gnutls_pcert_st** chain, unsigned int* chain_length, gnutls_privkey_t* key) {
  if (served == nullptr) return -1;
  const std::shared_ptr<TlsGeneration> current = served->Current();
  if (current->asks_client()) {
    gnutls_certificate_server_set_request(
        session, current->requires_client() ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
    gnutls_certificate_send_x509_rdn_sequence(session,
                                              1);  // the list of CAs would be that of another generation
    if (current->requires_client()) gnutls_session_set_verify_function(session, DemandVerified);
  }
  *chain = current->chain().data();
  *chain_length = static_cast<unsigned int>(current->chain().size());
  *key = current->key();
  return 0;
}

}  // namespace tw::callback
