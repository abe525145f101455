// Events and requests as JSON (`send -` reads them from stdin): what is read and written again stays the
// same, and what is written is one line of valid UTF-8.
#include <fmt/format.h>

#include "access/event_json.h"
#include "fuzz.h"

namespace {

using namespace tw;
using namespace tw::access;

void CheckLine(const std::string& json) {
  FUZZ_CHECK(IsUtf8(json));
  for (const char c : json) FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20);
}

void CheckEvent(std::string_view text) {
  const auto event = EventFromJson(text);
  if (!event) {
    FUZZ_CHECK(event.error().kind == ErrorKind::kUsage && fuzz::WellWorded(event.error()));
    return;
  }
  const std::string json = EventToJson(*event);
  CheckLine(json);
  const auto again = EventFromJson(json);
  FUZZ_CHECK(again);
  FUZZ_CHECK(EventToJson(*again) == json);
  FUZZ_CHECK(again->content_known == event->content_known);
  FUZZ_CHECK(!event->content_known || SameContent(event->request, again->request));
}

void CheckRequest(std::string_view text) {
  const auto request = RequestFromJson(text);
  if (!request) {
    FUZZ_CHECK(fuzz::WellWorded(request.error()));
    return;
  }
  const std::string json = RequestToJson(*request);
  CheckLine(json);
  const auto again = RequestFromJson(json);
  FUZZ_CHECK(again && SameContent(*request, *again) && RequestToJson(*again) == json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  CheckEvent(text);
  CheckRequest(text);
  // The parts that carry most of the rules, without having to find the frame around them.
  CheckEvent(fmt::format(R"({{"type":"access_request.created","id":"evt_1","data":{}}})", text));
  return 0;
}
