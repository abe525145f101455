// What the tests of lib/teleport share: a directory of credentials, and a client to a fake Auth Service.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/settings.h"
#include "fakes/fake_logger.h"
#include "fakes/test_pki.h"
#include "teleport/client.h"
#include "teleport/identity_file.h"

namespace tw::teleport {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tw-teleport-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = *this / name;
    std::ofstream(path, std::ios::trunc) << text;
    return path;
  }

 private:
  std::filesystem::path path_;
};

// key.pem, crt.pem and cas.pem in a directory, as settings.
inline config::TeleportSettings WriteTriple(const TemporaryDirectory& directory, const fakes::KeyPair& pair,
                                            const std::string& cas) {
  config::TeleportSettings settings;
  settings.client_key = directory.Write("key.pem", pair.key_pem);
  settings.client_crt = directory.Write("crt.pem", pair.certificate_pem);
  settings.root_cas = directory.Write("cas.pem", cas);
  settings.connect_timeout = std::chrono::seconds(5);
  return settings;
}

inline std::string IdentityText(const fakes::KeyPair& pair, const std::string& cas) {
  return pair.key_pem + "ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20=\n" +
         pair.certificate_pem + "@cert-authority *.example ssh-rsa AAAAB3NzaC1yc2E= type=host\n" + cas;
}

inline access::CallLimits Soon() {
  return {std::chrono::seconds(20), {}};
}

}  // namespace tw::teleport
