// TlsContext: the certificate a listener shows and the client CA it trusts, replaceable while connections are
// made. GnuTLS, because libmicrohttpd speaks nothing else.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "callback/http_server.h"

namespace tw::callback {

// One generation of TlsMaterial in GnuTLS's form. Immutable once made.
class TlsGeneration {
 public:
  // Error (kConfig) saying which part GnuTLS does not take.
  static Result<std::shared_ptr<TlsGeneration>> Make(const TlsMaterial& material);
  ~TlsGeneration();
  TlsGeneration(const TlsGeneration&) = delete;
  TlsGeneration& operator=(const TlsGeneration&) = delete;

  std::vector<gnutls_pcert_st>& chain() { return chain_; }
  gnutls_privkey_t key() const { return key_; }
  bool asks_client() const { return trust_ != nullptr; }
  bool requires_client() const { return requires_client_; }
  // The peer's certificate when it is valid now, for client use, and issued by the client CA.
  std::optional<ClientCertificate> Verify(gnutls_session_t session) const;

 private:
  TlsGeneration() = default;

  std::vector<gnutls_pcert_st> chain_;
  gnutls_privkey_t key_ = nullptr;
  gnutls_x509_trust_list_t trust_ = nullptr;
  bool requires_client_ = false;
};

// The functions for the event thread may run while Replace is called from another.
class TlsContext {
 public:
  // `handshake_limit`: no handshake lasts longer; a replaced generation is kept for that long.
  TlsContext(std::shared_ptr<TlsGeneration> first, std::chrono::milliseconds handshake_limit)
      : current_(std::move(first)), handshake_limit_(handshake_limit) {}

  void Replace(std::shared_ptr<TlsGeneration> next);
  std::shared_ptr<TlsGeneration> Current() const;

  // Called on the event thread before its first handshake: GnuTLS hands no context to its callbacks, but
  // every event thread serves exactly one listener.
  void ServeThisThread() const;
  static int Retrieve(gnutls_session_t session, const gnutls_datum_t* authorities, int count,
                      const gnutls_pk_algorithm_t* algorithms, int algorithm_count, gnutls_pcert_st** chain,
                      unsigned int* chain_length, gnutls_privkey_t* key);

 private:
  struct Retired {
    std::shared_ptr<TlsGeneration> generation;
    SteadyTime free_after;
  };

  mutable std::mutex mutex_;
  std::shared_ptr<TlsGeneration> current_;
  std::deque<Retired> retired_;  // handshakes under way may still read them
  const std::chrono::milliseconds handshake_limit_;
};

}  // namespace tw::callback
