// Form bodies of callbacks: what is understood can be written as a form again and is understood alike.
#include "base/duration.h"
#include "callback/body.h"
#include "fuzz.h"
#include "webhook/form_encode.h"

namespace {

using namespace tw;
using namespace tw::callback;

std::string Write(const Ask& ask) {
  std::string out;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) webhook::AppendFormField(out, name, value);
  };
  put("request_id", ask.request_id);
  if (ask.decision) put("decision", ask.decision == access::RequestState::kApproved ? "approve" : "deny");
  put("delegator", ask.delegator);
  put("reason", ask.reason);
  for (const std::string& role : ask.roles) webhook::AppendFormField(out, "roles", role);
  for (const auto& [key, values] : ask.annotations) {
    for (const std::string& value : values) webhook::AppendFormField(out, "annotations." + key, value);
  }
  if (ask.assume_start_time) put("assume_start_time", FormatTime(*ask.assume_start_time));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = fuzz::AsText(data, size);
  const auto marked = ParseV1Body(BodyFormat::kForm, fuzz::WithCanary(body));
  FUZZ_CHECK(marked || !fuzz::TellsCanary(marked.error()));
  const auto ask = ParseV1Body(BodyFormat::kForm, body);
  if (!ask) {
    FUZZ_CHECK(ask.error().kind == ErrorKind::kUsage && fuzz::WellWorded(ask.error()));
    return 0;
  }
  for (const std::string* text : {&ask->request_id, &ask->delegator, &ask->reason}) FUZZ_CHECK(IsUtf8(*text));
  for (const std::string& role : ask->roles) {
    FUZZ_CHECK(!role.empty() && Trim(role) == role && role.find(',') == std::string::npos && IsUtf8(role));
  }
  const auto again = ParseV1Body(BodyFormat::kForm, Write(*ask));
  FUZZ_CHECK(again && again->request_id == ask->request_id && again->decision == ask->decision);
  FUZZ_CHECK(again->delegator == ask->delegator && again->reason == ask->reason &&
             again->roles == ask->roles);
  FUZZ_CHECK(again->annotations == ask->annotations);
  // Any text survives the way through a form.
  std::string field;
  webhook::AppendFormField(field, "reason", body);
  const auto same = ParseV1Body(BodyFormat::kForm, field);
  FUZZ_CHECK(same.has_value() == IsUtf8(body) && (!same || same->reason == body));
  return 0;
}
