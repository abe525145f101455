// Messages of the Auth Service: any event that protobuf accepts becomes a request that can be told as JSON
// and stored, with times that can be written.
#include "access/event_json.h"
#include "fuzz.h"
#include "store/record_codec.h"
#include "teleport/decode.h"

namespace {

using namespace tw;

void CheckTime(const std::optional<SystemTime>& time) {
  constexpr SystemTime kFirst = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
  constexpr SystemTime kBeyond = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
  FUZZ_CHECK(!time || (kFirst <= *time && *time < kBeyond));
}

void CheckRequest(const access::AccessRequest& request) {
  for (const auto& time : {request.created, request.expires, request.access_expires, request.max_duration,
                           request.session_ttl, request.assume_start_time})
    CheckTime(time);
  const auto read = access::RequestFromJson(access::RequestToJson(request));
  FUZZ_CHECK(read && access::SameContent(*read, request));
  access::KnownRequest known;
  known.content = request;
  const auto stored = store::DecodeRecord(store::EncodeRecord(known));
  FUZZ_CHECK(stored && access::SameContent(stored->content, request));
  FUZZ_CHECK(stored->content.revision == request.revision &&
             stored->content.metadata_id == request.metadata_id);
  const std::string id = access::ChangeEventId("example.com", request);
  FUZZ_CHECK(id.starts_with("evt_") && id.size() <= 64 && id.find('.') == std::string::npos &&
             fuzz::Harmless(id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  proto::Event event;
  if (!event.ParseFromArray(data, static_cast<int>(size))) return 0;
  teleport::RefusesOurKind(event);
  const auto change = teleport::DecodeEvent(event);
  if (!change) return 0;
  FUZZ_CHECK((change->kind == access::ChangeKind::kInit) == change->request.id.empty());
  if (change->kind == access::ChangeKind::kPut) CheckRequest(change->request);
  return 0;
}
