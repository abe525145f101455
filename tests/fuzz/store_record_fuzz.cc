// Records of the store: whatever bytes lie on the disk, reading ends with a record or an error, and a record
// that was read is written and read again without a change.
#include "fuzz.h"
#include "store/record_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tw;
  const auto record = store::DecodeRecord(fuzz::AsText(data, size));
  if (!record) {
    FUZZ_CHECK(fuzz::WellWorded(record.error()));
    return 0;
  }
  const std::string bytes = store::EncodeRecord(*record);
  const auto again = store::DecodeRecord(bytes);
  FUZZ_CHECK(again && store::EncodeRecord(*again) == bytes);
  FUZZ_CHECK(access::SameContent(record->content, again->content));
  FUZZ_CHECK(record->content.revision == again->content.revision && record->seq == again->seq);
  FUZZ_CHECK(record->legacy_states == again->legacy_states && record->gone == again->gone);
  // Cut short, the record is damaged or older; neither may be taken for the whole one.
  for (std::size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 16) {
    const auto shorter = store::DecodeRecord(std::string_view(bytes).substr(0, cut));
    FUZZ_CHECK(!shorter || store::EncodeRecord(*shorter).size() <= bytes.size() + 1);
  }
  return 0;
}
