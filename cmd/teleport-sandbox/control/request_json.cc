#include "control/request_json.h"

#include <nlohmann/json.hpp>

#include "base/duration.h"

namespace tw::sandbox {
namespace {

using Json = nlohmann::ordered_json;

Json ReviewsOf(const Request& request) {
  Json reviews = Json::array();
  for (const Review& review : request.reviews) {
    Json one{{"author", review.author}, {"state", StateName(review.proposed)}, {"reason", review.reason}};
    if (review.created) one["created"] = FormatTime(*review.created);
    reviews.push_back(std::move(one));
  }
  return reviews;
}

Json ThresholdsOf(const Request& request) {
  Json thresholds = Json::array();
  for (const Threshold& t : request.thresholds) {
    thresholds.push_back({{"name", t.name}, {"approve", t.approve}, {"deny", t.deny}});
  }
  return thresholds;
}

Json ResourcesOf(const Request& request) {
  Json resources = Json::array();
  for (const Resource& resource : request.resources) resources.push_back(resource.Text());
  return resources;
}

}  // namespace

std::string RequestJson(const Request& request, const std::string& delegator) {
  Json json{{"id", request.id},
            {"user", request.user},
            {"roles", request.roles},
            {"state", StateName(request.state)},
            {"reason", request.request_reason},
            {"resolve_reason", request.resolve_reason},
            {"delegator", delegator},
            {"created", FormatTime(request.created)},
            {"expires", FormatTime(request.expires)},
            {"access_expires", FormatTime(request.access_expires)},
            {"suggested_reviewers", request.suggested_reviewers},
            {"resources", ResourcesOf(request)},
            {"reviews", ReviewsOf(request)},
            {"thresholds", ThresholdsOf(request)},
            {"resolve_annotations", request.resolve_annotations},
            {"system_annotations", request.system_annotations}};
  if (request.assume_start_time) json["assume_start_time"] = FormatTime(*request.assume_start_time);
  if (request.access_list) {
    json["access_list"] = {{"name", request.access_list->name}, {"title", request.access_list->title}};
  }
  if (!request.revision.empty()) json["revision"] = request.revision;
  if (request.metadata_id != 0) json["metadata_id"] = request.metadata_id;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tw::sandbox
