// Internal to CallbackHandler: one request on its way.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "callback/body.h"
#include "callback/callback_handler.h"

namespace tw::callback {

struct CallbackHandler::Call {
  const HttpRequest& request;
  const Rules& rules;
  Route route;
  Client client;
  std::stop_token stop;

  std::optional<Identity> identity = {};
  Ask ask = {};                // with the id and the decision of the path filled in
  std::string delegator = {};  // "webhooks:<name>", once it is settled
};

}  // namespace tw::callback
