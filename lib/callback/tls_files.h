// Keys and certificates of the callback listener: from files, or a self-signed pair in the state directory.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "callback/http_server.h"

namespace tw::callback {

struct TlsPaths {
  std::string key_file;
  std::string certificate_file;
  std::string client_ca_file;  // empty: no client certificates
  bool require_client_certificate = false;
};

// Reads and checks them: key and certificate belong together, the CA file holds certificates. Errors: kConfig
// for what is in a file, kCredentials for one that cannot be read; each names the file and says what to do.
Result<TlsMaterial> LoadTls(const TlsPaths& paths);

// The pair `server.key` and `server.crt` in `directory` (made when missing, mode 0700), as the original kept
// it. Used again while it loads and is not expired; made anew otherwise (10 years, ECDSA P-256), with a note
// in the log. Names: the host of `public_addr` when it has one, this machine's name, localhost, 127.0.0.1 and
// ::1.
Result<TlsPaths> EnsureSelfSigned(const std::string& directory, const std::string& public_addr,
                                  SystemTime now, Logger& log);

// Notices changed files. Not thread-safe.
class TlsWatch {
 public:
  explicit TlsWatch(TlsPaths paths);
  // Nullopt: nothing changed since the last call. An error is told once for each change; what was loaded
  // before stays in force.
  std::optional<Result<TlsMaterial>> Poll();

 private:
  std::string State() const;

  TlsPaths paths_;
  std::string seen_;
};

}  // namespace tw::callback
