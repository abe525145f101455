// A whole cluster in this process (the sandbox with its proxy and its load balancer) and the ways of the real
// client into it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/settings.h"
#include "fakes/fake_logger.h"
#include "sandbox.h"
#include "teleport/client.h"

namespace tw::routes {

using config::Route;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How the credentials lie on the disk.
enum class Form { kTriple, kIdentity };

// For the names of tests.
inline std::string RouteName(Route route) {
  return route == Route::kAuth ? "Auth" : route == Route::kProxy ? "Proxy" : "ProxyUpgrade";
}
inline std::string FormName(Form form) {
  return form == Form::kTriple ? "Triple" : "Identity";
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Waits for `done`, looking often; false when it took too long.
inline bool Eventually(const std::function<bool()>& done, milliseconds limit = seconds(20)) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

inline access::CallLimits Soon() {
  return {seconds(20), {}};
}

class ScratchDir {
 public:
  ScratchDir() {
    std::string name = (std::filesystem::temp_directory_path() / "routes-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Cluster {
 public:
  explicit Cluster(sandbox::Release release = sandbox::Release::k18, sandbox::SandboxOptions options = {}) {
    std::signal(SIGPIPE, SIG_IGN);  // as both programs do
    options.dir = scratch_.path() / "certs";
    options.release = release;
    options.proxy = Address{"127.0.0.1", 0};
    options.load_balancer = Address{"127.0.0.1", 0};
    auto started = sandbox::Sandbox::Start(options);
    if (!started) throw std::runtime_error(started.error().message);
    sandbox_ = *std::move(started);
    // The certificate of the load balancer is one that the system trusts, as in most clusters.
    ::setenv("SSL_CERT_FILE", sandbox_->File("web.cas").c_str(), 1);
  }

  sandbox::Sandbox& operator*() { return *sandbox_; }
  sandbox::Sandbox* operator->() { return sandbox_.get(); }

  // Where clients of this route connect to.
  std::string Entrance(Route route) const {
    if (route == Route::kAuth) return sandbox_->address().Text();
    return (route == Route::kProxy ? sandbox_->proxy_address() : sandbox_->load_balancer_address())->Text();
  }
  config::TeleportSettings Settings(const std::string& addr, Form form, Route route = Route::kAuto,
                                    const std::string& user = "plugin") const {
    config::TeleportSettings settings;
    settings.addr = addr;
    settings.route = route;
    if (form == Form::kIdentity) {
      settings.identity = sandbox_->File(user + ".identity");
    } else {
      settings.client_key = sandbox_->File(user + ".key");
      settings.client_crt = sandbox_->File(user + ".crt");
      settings.root_cas = sandbox_->File(user + ".cas");
    }
    return settings;
  }

  std::string Ask(const std::string& reason = {}) {
    sandbox::NewRequest wanted;
    wanted.user = "alice";
    wanted.roles = {"dba"};
    wanted.reason = reason;
    return sandbox_->Request(std::move(wanted)).value();
  }

 private:
  ScratchDir scratch_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
};

}  // namespace tw::routes
