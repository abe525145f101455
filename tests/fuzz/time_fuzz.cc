// Durations, RFC 3339 times and HTTP dates: what parses can be written and read again, and agrees with the C
// library where that reads the same form.
#include <ctime>

#include "base/duration.h"
#include "fuzz.h"

namespace {

using namespace tw;
using std::chrono::milliseconds;

constexpr SystemTime kFirst = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
constexpr SystemTime kBeyond = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
constexpr std::size_t kWrittenTime = sizeof("2026-11-22T10:00:00.123Z") - 1;

void CheckDuration(std::string_view text) {
  const auto duration = ParseDuration(text);
  if (!duration) {
    FUZZ_CHECK(fuzz::WellWorded(duration.error()));
    return;
  }
  FUZZ_CHECK(*duration >= milliseconds(0) && *duration <= std::chrono::hours(24 * 3650));
  const auto again = ParseDuration(FormatDuration(*duration));
  FUZZ_CHECK(again && *again == *duration);
}

void CheckWritten(SystemTime time) {
  FUZZ_CHECK(kFirst <= time && time < kBeyond);
  const std::string text = FormatTime(time);
  FUZZ_CHECK(text.size() == kWrittenTime);
  const auto again = ParseTime(text);
  FUZZ_CHECK(again && *again == std::chrono::floor<milliseconds>(time));
}

void CheckTime(std::string_view text) {
  const auto time = ParseTime(text);
  if (time)
    CheckWritten(*time);
  else
    FUZZ_CHECK(fuzz::WellWorded(time.error()));
}

void CheckHttpDate(std::string_view text) {
  const auto time = ParseHttpDate(text);
  if (!time) {
    FUZZ_CHECK(fuzz::WellWorded(time.error()));
    return;
  }
  CheckWritten(*time);
  std::tm parts{};
  const std::string copy(text);
  const char* form = copy[3] == ',' ? "%a, %d %b %Y %H:%M:%S GMT" : "%a %b %d %H:%M:%S %Y";
  if (copy[3] != ',' && copy[3] != ' ') return;  // strptime picks another century for two digits
  const char* end = strptime(copy.c_str(), form, &parts);
  FUZZ_CHECK(end != nullptr && *end == '\0');
  FUZZ_CHECK(SystemTime(std::chrono::seconds(timegm(&parts))) == *time);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  CheckDuration(text);
  CheckTime(text);
  CheckHttpDate(text);
  return 0;
}
