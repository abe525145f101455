// Listener: a listening stream socket from "host:port", ":port", "unix:PATH" or "systemd".
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tw::callback {

// Owns the socket, and for unix sockets the file, which is removed when it is still ours. Move only.
class Listener {
 public:
  // Errors: kConfig for a spec that cannot be meant, kFailure (in use and no permission: retryable; no such
  // socket).
  static Result<Listener> Open(const std::string& spec);

  Listener(Listener&& other) noexcept : Listener() { *this = std::move(other); }
  Listener& operator=(Listener&& other) noexcept;
  ~Listener() { Remove(); }

  int fd() const { return fd_.get(); }
  const std::string& address() const { return address_; }  // as bound, with the chosen port
  void Close();

 private:
  Listener() = default;
  static Result<Listener> OpenInternet(const std::string& spec);
  static Result<Listener> OpenUnix(const std::string& path);
  static Result<Listener> FromSystemd();
  void Remove();

  UniqueFd fd_;
  std::string address_;
  std::string path_;  // of a unix socket that we made
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace tw::callback
