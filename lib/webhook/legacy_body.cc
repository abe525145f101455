#include "webhook/legacy_body.h"

#include <fmt/format.h>

#include "webhook/form_encode.h"
#include "webhook/go_json.h"

namespace tw::webhook {
namespace {

using access::EventType;
using access::RequestState;

std::string_view CallbackUrl(const BodyContext& context) {
  return context.notify_only ? std::string_view() : std::string_view(context.public_addr);
}

void AppendKey(std::string& out, std::string_view key) {
  out += out.empty() ? '{' : ',';
  AppendGoString(out, key);
  out += ':';
}

void AppendRoles(std::string& out, const std::vector<std::string>& roles) {
  if (roles.empty()) {
    out += "null";  // a nil slice in Go
    return;
  }
  char separator = '[';
  for (const std::string& role : roles) {
    out += separator;
    AppendGoString(out, role);
    separator = ',';
  }
  out += ']';
}

}  // namespace

std::string LegacyState(EventType type, RequestState state) {
  if (type == EventType::kDeleted) return "Deleted";
  if (type == EventType::kExpired) return "Expired";
  switch (state) {
    case RequestState::kNone:
      return "";
    case RequestState::kPending:
      return "Pending";
    case RequestState::kApproved:
      return "Approved";
    case RequestState::kDenied:
      return "Denied";
    case RequestState::kPromoted:
      return "Promoted";
  }
  return std::to_string(static_cast<std::int32_t>(state));
}

std::string LegacyJson(const LegacyFields& fields, const BodyContext& context) {
  std::string out;
  out.reserve(256 + context.public_addr.size());
  const auto text = [&](std::string_view key, std::string_view value) {
    AppendKey(out, key);
    AppendGoString(out, value);
  };
  text("ClusterName", fields.cluster);
  text("RequestID", fields.request_id);
  text("User", fields.user);
  AppendKey(out, "Roles");
  AppendRoles(out, fields.roles);
  AppendKey(out, "CreatedAt");
  out += std::to_string(fields.created_at);
  text("State", fields.state);
  AppendKey(out, "NotifyOnly");
  out += context.notify_only ? "true" : "false";
  text("CallbackURL", CallbackUrl(context));
  out += '}';
  return out;
}

std::string LegacyForm(const LegacyFields& fields, const BodyContext& context) {
  std::string out;
  AppendFormField(out, "payload", LegacyJson(fields, context));
  AppendFormField(out, "ClusterName", fields.cluster);
  AppendFormField(out, "RequestID", fields.request_id);
  AppendFormField(out, "User", fields.user);
  AppendFormField(out, "Roles", fmt::format("{}", fmt::join(fields.roles, ",")));
  AppendFormField(out, "CreatedAt", std::to_string(fields.created_at));
  AppendFormField(out, "State", fields.state);
  AppendFormField(out, "NotifyOnly", context.notify_only ? "true" : "false");
  AppendFormField(out, "CallbackURL", CallbackUrl(context));
  return out;
}

}  // namespace tw::webhook
