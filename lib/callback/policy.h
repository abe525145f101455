// Our own rules about who may decide what, beyond Teleport's (product.md section 5). Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/access_request.h"
#include "config/settings.h"

namespace tw::callback {

// Is any of `names` the requester, also under another spelling (name_folding.h)?
bool IsRequester(std::string_view user, std::span<const std::string> names);

// "webhooks:<name>" may hold at most 128 characters in <name>, none of which steers a terminal and one of
// which can be seen.
bool UsableDelegator(std::string_view name);

// What lies outside of what [callback] and the caller itself (null: none) may decide and see, as a sentence;
// nullopt: nothing. `granted`: roles the decision would grant instead.
std::optional<std::string> OutsideScope(const config::CallbackSettings& settings,
                                        const config::CallerSettings* caller,
                                        const access::AccessRequest& request,
                                        std::span<const std::string> granted);

// May this caller approve (kApproved) or deny?
bool MayDecide(const config::CallerSettings* caller, access::RequestState decision);

// Did a browser send this from another site? `origin` and `fetch_site` are header values, absent when not
// sent. `public_addr` as configured; `tls`: scheme to assume when it names none.
bool IsCrossSite(std::optional<std::string_view> origin, std::optional<std::string_view> fetch_site,
                 std::string_view public_addr, bool tls);

}  // namespace tw::callback
