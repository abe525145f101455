// Router: which endpoints get an event. Asked once, when the event is committed; the answer is kept with the
// event. Does no I/O. Owns its jq programs, so one thread at a time (the one that commits).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "access/event.h"
#include "access/request_book.h"
#include "base/result.h"
#include "config/settings.h"
#include "jq/jq_program.h"

namespace tw::webhook {

struct RouteResult {
  std::vector<std::string> endpoints;             // names, in configuration order
  std::map<std::string, std::string> unfiltered;  // those whose `when` failed on the event, and why
};

class Router {
 public:
  // `compiler` may be null when no endpoint has a `when`. Error: kConfig, a program that does not compile.
  static Result<Router> Create(const std::vector<config::EndpointSettings>& endpoints,
                               jq::Compiler* compiler);
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  // Records in `known.legacy_states` what legacy endpoints are going to be told.
  RouteResult Route(const access::Event& event, access::KnownRequest& known);

 private:
  struct Lane;
  explicit Router(std::vector<Lane> lanes);
  std::vector<Lane> lanes_;
};

// Do the names of `request_states` (product.md section 7) let this event pass?
bool StatesAllow(const std::vector<std::string>& request_states, const access::Event& event);

}  // namespace tw::webhook
