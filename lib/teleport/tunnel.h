// Tunnel: layers (TLS, WebSocket, TLS again) joined by pumps, with one plain descriptor at the end of the
// stack. Internal to lib/teleport.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "teleport/pump.h"

namespace tw::teleport {

class Tunnel {
 public:
  explicit Tunnel(UniqueFd transport) : end_(std::move(transport)) {}
  Tunnel(Tunnel&&) = default;
  Tunnel& operator=(Tunnel&&) = delete;
  ~Tunnel() { TearDown(); }

  // The plain end: the innermost layer's. The tunnel owns it until TakeEnd.
  int fd() const { return end_.get(); }
  UniqueFd TakeEnd() { return std::move(end_); }
  // Puts a layer on top. It was made over TakeEnd().
  Status Add(std::unique_ptr<FarEnd> layer) {
    auto pump = StartPump(std::move(layer), end_);
    if (!pump)
      return Error{ErrorKind::kFailure, "no descriptors left for a connection", "raise the limit (ulimit -n)",
                   true};
    pumps_.push_back(std::move(pump));
    return {};
  }

  bool alive() const {
    for (const auto& pump : pumps_) {
      if (!pump->alive()) return false;
    }
    return true;
  }
  // The outermost layer that ended knows the cause best, unless an inner one was refused for its certificate.
  std::optional<Error> why() const {
    std::optional<Error> first;
    for (const auto& pump : pumps_) {
      std::optional<Error> why = pump->why();
      if (why && (!first || why->kind == ErrorKind::kCredentials)) first = std::move(why);
    }
    return first;
  }

 private:
  void TearDown() {
    end_.Reset();
    while (!pumps_.empty()) pumps_.pop_back();  // inner layers say goodbye through the outer ones
  }
  std::vector<std::unique_ptr<Pump>> pumps_;
  UniqueFd end_;
};

}  // namespace tw::teleport
