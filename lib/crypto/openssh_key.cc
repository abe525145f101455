#include "crypto/openssh_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <cstdint>
#include <optional>
#include <string>

namespace tw::crypto {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view kMagic = "openssh-key-v1\0"sv;

struct Free {
  void operator()(BIGNUM* n) const { BN_clear_free(n); }
  void operator()(BN_CTX* c) const { BN_CTX_free(c); }
  void operator()(OSSL_PARAM_BLD* b) const { OSSL_PARAM_BLD_free(b); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
  void operator()(EVP_PKEY_CTX* c) const { EVP_PKEY_CTX_free(c); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Error Bad(std::string message) {
  return {ErrorKind::kCredentials, std::move(message), {}, true};
}

// Takes length-prefixed fields from the front (RFC 4251 section 5). After a short read everything is empty
// and !ok.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t Number() {
    if (rest_.size() < 4) return Fail();
    std::uint32_t out = 0;
    for (int i = 0; i < 4; ++i)
      out = out << 8U | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
    rest_.remove_prefix(4);
    return out;
  }
  std::string_view Field() {
    const std::uint32_t length = Number();
    if (length > rest_.size()) {
      Fail();
      return {};
    }
    const std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  Owned<BIGNUM> Integer() {
    const std::string_view bytes = Field();
    return Owned<BIGNUM>(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()), nullptr));
  }
  bool ok() const { return ok_; }

 private:
  std::uint32_t Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

EvpKey Build(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return nullptr;
  }
  return EvpKey(key);
}

// d mod (prime - 1), which the container leaves out.
Owned<BIGNUM> Exponent(const BIGNUM* d, const BIGNUM* prime, BN_CTX* context) {
  Owned<BIGNUM> less(BN_dup(prime));
  Owned<BIGNUM> out(BN_secure_new());
  if (!less || !out || BN_sub_word(less.get(), 1) != 1 || BN_mod(out.get(), d, less.get(), context) != 1)
    return nullptr;
  return out;
}

EvpKey ReadRsa(Reader& reader) {
  const Owned<BIGNUM> n = reader.Integer(), e = reader.Integer(), d = reader.Integer(),
                      inverse = reader.Integer(), p = reader.Integer(), q = reader.Integer();
  if (!reader.ok() || !n || !e || !d || !inverse || !p || !q || BN_is_zero(p.get()) || BN_is_zero(q.get()))
    return nullptr;
  const Owned<BN_CTX> context(BN_CTX_new());
  const Owned<BIGNUM> dp = Exponent(d.get(), p.get(), context.get()),
                      dq = Exponent(d.get(), q.get(), context.get());
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!dp || !dq || !builder) return nullptr;
  const std::pair<const char*, const BIGNUM*> parts[] = {
      {OSSL_PKEY_PARAM_RSA_N, n.get()},          {OSSL_PKEY_PARAM_RSA_E, e.get()},
      {OSSL_PKEY_PARAM_RSA_D, d.get()},          {OSSL_PKEY_PARAM_RSA_FACTOR1, p.get()},
      {OSSL_PKEY_PARAM_RSA_FACTOR2, q.get()},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, dp.get()},
      {OSSL_PKEY_PARAM_RSA_EXPONENT2, dq.get()}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse.get()}};
  for (const auto& [name, number] : parts) {
    if (OSSL_PARAM_BLD_push_BN(builder.get(), name, number) != 1) return nullptr;
  }
  return Build("RSA", builder.get());
}

EvpKey ReadEc(Reader& reader) {
  const std::string curve(reader.Field());
  const std::string_view point = reader.Field();
  const Owned<BIGNUM> secret = reader.Integer();
  const char* group = curve == "nistp256" ? "prime256v1" : curve == "nistp384" ? "secp384r1" : "secp521r1";
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!reader.ok() || !secret || !builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get()) != 1) {
    return nullptr;
  }
  return Build("EC", builder.get());
}

EvpKey ReadEd25519(Reader& reader) {
  reader.Field();  // the public half
  const std::string_view both = reader.Field();
  if (!reader.ok() || both.size() != 64) return nullptr;
  return EvpKey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                             reinterpret_cast<const unsigned char*>(both.data()), 32));
}

}  // namespace

bool IsOpensshKey(std::string_view der) {
  return der.starts_with(kMagic);
}

Result<EvpKey> ReadOpensshKey(std::string_view der) {
  Reader outer(der.substr(kMagic.size()));
  const std::string_view cipher = outer.Field();
  outer.Field();  // kdf name
  outer.Field();  // kdf options
  if (outer.Number() != 1) return Bad("the OpenSSH key file does not hold exactly one key");
  outer.Field();  // public key
  Reader inner(outer.Field());
  if (!outer.ok()) return Bad("the OpenSSH key is cut short");
  if (cipher != "none")
    return Bad("the OpenSSH key is encrypted with a passphrase; a key without one is needed");
  if (inner.Number() != inner.Number()) return Bad("the OpenSSH key is damaged");
  const std::string type(inner.Field());
  EvpKey key;
  if (type == "ssh-rsa") {
    key = ReadRsa(inner);
  } else if (type.starts_with("ecdsa-sha2-nistp")) {
    key = ReadEc(inner);
  } else if (type == "ssh-ed25519") {
    key = ReadEd25519(inner);
  } else {
    return Bad("OpenSSH keys of this type are not supported");
  }
  if (!key) return Bad("the OpenSSH key is damaged");
  return key;
}

}  // namespace tw::crypto
