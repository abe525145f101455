#include "base/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace tw {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kUnits = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                               Unit{"d", 86'400'000}};
constexpr std::int64_t kLongest = 3650LL * 86'400'000;  // ten years: anything longer is a slip

template <class N>
bool TakeNumber(std::string_view& text, std::size_t digits, N& out) {
  if (text.size() < digits) return false;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  std::from_chars(text.data(), text.data() + digits, out);
  text.remove_prefix(digits);
  return true;
}

bool Take(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

std::optional<SystemTime> Assemble(int year, unsigned month, unsigned day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return SystemTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

// Only these can be written again with four digits for the year; year 0 and leap seconds can fall outside.
bool Writable(SystemTime time) {
  constexpr SystemTime kFirst = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
  constexpr SystemTime kBeyond = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
  return kFirst <= time && time < kBeyond;
}

std::optional<int> MonthNumber(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

// The rest of an RFC 3339 time after the seconds: fraction and zone.
bool TakeFractionAndZone(std::string_view& text, std::int64_t& micros, int& offset_minutes) {
  if (Take(text, ".")) {
    std::int64_t scale = 100'000;
    std::size_t digits = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
      micros += (text[0] - '0') * scale;
      scale /= 10;
    }
    if (digits == 0) return false;
  }
  if (Take(text, "Z") || Take(text, "z")) return text.empty();
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!Take(text, "+") && !Take(text, "-")) return false;
  int hours = 0;
  int minutes = 0;
  if (!TakeNumber(text, 2, hours) || !Take(text, ":") || !TakeNumber(text, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  offset_minutes = sign * (hours * 60 + minutes);
  return text.empty();
}

// The forms of RFC 9110 section 5.6.7 differ in how the day of the week is written.
enum class DateForm { kUsual, kRfc850, kAsctime };

// "Sun,", "Sunday," or "Sun". Which day it names is not compared with the date.
std::optional<DateForm> FormOf(std::string_view day_name) {
  constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                     "Friday", "Saturday", "Sunday"};
  const bool comma = day_name.ends_with(',');
  if (comma) day_name.remove_suffix(1);
  for (const std::string_view day : kDays) {
    if (day_name == day.substr(0, 3)) return comma ? DateForm::kUsual : DateForm::kAsctime;
    if (day_name == day && comma) return DateForm::kRfc850;
  }
  return std::nullopt;
}

// "06 Nov 1994 08:49:37 GMT", "06-Nov-94 08:49:37 GMT" or "Nov  6 08:49:37 1994": what follows the day's
// name.
std::optional<SystemTime> ParseDateRest(std::string_view rest, DateForm form) {
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::optional<int> month;
  const auto clock = [&] {
    return TakeNumber(rest, 2, hour) && Take(rest, ":") && TakeNumber(rest, 2, minute) && Take(rest, ":") &&
           TakeNumber(rest, 2, second);
  };
  if (form != DateForm::kAsctime) {
    if (!TakeNumber(rest, 2, day) || rest.size() < 5) return std::nullopt;
    const bool dashed = form == DateForm::kRfc850;
    const std::string_view separator = dashed ? "-" : " ";
    if (!Take(rest, separator)) return std::nullopt;
    month = MonthNumber(rest.substr(0, 3));
    rest.remove_prefix(3);
    if (!Take(rest, separator) || !TakeNumber(rest, dashed ? 2 : 4, year) || !Take(rest, " "))
      return std::nullopt;
    if (dashed) year += year < 70 ? 2000 : 1900;
    if (!clock() || rest != " GMT") return std::nullopt;
  } else {
    if (rest.size() < 4) return std::nullopt;
    month = MonthNumber(rest.substr(0, 3));
    rest.remove_prefix(3);
    if (!Take(rest, " ")) return std::nullopt;
    if (!(Take(rest, " ") ? TakeNumber(rest, 1, day) : TakeNumber(rest, 2, day))) return std::nullopt;
    if (!Take(rest, " ") || !clock() || !Take(rest, " ") || !TakeNumber(rest, 4, year) || !rest.empty())
      return std::nullopt;
  }
  if (!month) return std::nullopt;
  return Assemble(year, static_cast<unsigned>(*month), static_cast<unsigned>(day), hour, minute, second);
}

}  // namespace

Result<milliseconds> ParseDuration(std::string_view text) {
  const auto bad = [&] {
    return Error::Usage(fmt::format("\"{}\" is not a duration", EscapeControls(text)),
                        "write a number with a unit, e.g. 10s, 5m, 1h30m");
  };
  std::string_view rest = text;
  if (rest == "0") return milliseconds(0);
  if (rest.empty()) return bad();
  std::int64_t total = 0;
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc() || number < 0) return bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto letters = rest.find_first_of("0123456789");
    const std::string_view name = rest.substr(0, letters);
    rest.remove_prefix(name.size());
    const auto* unit =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
    if (unit == kUnits.end() || number > kLongest / unit->milliseconds) return bad();
    total += number * unit->milliseconds;
    if (total > kLongest) return bad();
  }
  return milliseconds(total);
}

std::string FormatDuration(milliseconds duration) {
  if (duration.count() == 0) return "0s";
  std::string out = duration.count() < 0 ? "-" : "";
  // Unsigned, since the least number has no positive counterpart.
  auto left = static_cast<std::uint64_t>(duration.count());
  if (duration.count() < 0) left = 0 - left;
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    if (unit->name == "d") continue;  // hours read better than days in 36h
    const auto size = static_cast<std::uint64_t>(unit->milliseconds);
    if (left >= size) out += fmt::format("{}{}", left / size, unit->name);
    left %= size;
  }
  return out;
}

std::string FormatTime(SystemTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<SystemTime> ParseTime(std::string_view text) {
  const auto bad = [&] {
    return Error::Usage(fmt::format("\"{}\" is not a time", EscapeControls(text)),
                        "write RFC 3339, e.g. 2026-11-22T10:00:00Z");
  };
  std::string_view rest = text;
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const bool shaped = TakeNumber(rest, 4, year) && Take(rest, "-") && TakeNumber(rest, 2, month) &&
                      Take(rest, "-") && TakeNumber(rest, 2, day) &&
                      (Take(rest, "T") || Take(rest, "t") || Take(rest, " ")) && TakeNumber(rest, 2, hour) &&
                      Take(rest, ":") && TakeNumber(rest, 2, minute) && Take(rest, ":") &&
                      TakeNumber(rest, 2, second);
  std::int64_t micros = 0;
  int offset = 0;
  if (!shaped || !TakeFractionAndZone(rest, micros, offset)) return bad();
  const auto time = Assemble(year, month, day, hour, minute, second);
  if (!time) return bad();
  const SystemTime moved = *time + std::chrono::microseconds(micros) - std::chrono::minutes(offset);
  if (!Writable(moved)) return bad();
  return moved;
}

Result<SystemTime> ParseHttpDate(std::string_view text) {
  const auto after = text.find(' ');
  std::optional<SystemTime> time;
  if (after != std::string_view::npos) {
    if (const auto form = FormOf(text.substr(0, after))) time = ParseDateRest(text.substr(after + 1), *form);
  }
  if (!time || !Writable(*time))
    return Error::Usage(fmt::format("\"{}\" is not an HTTP date", EscapeControls(text)));
  return *time;
}

}  // namespace tw
