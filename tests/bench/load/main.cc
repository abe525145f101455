// Load tools of scripts/bench. Each prints one line of numbers for the script.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "control.h"
#include "numbers.h"
#include "sink.h"
#include "verbs.h"

namespace load {
namespace {

constexpr std::chrono::minutes kLimit{5};
constexpr std::chrono::seconds kOneLimit{10};

}  // namespace

// Prints: events a second, from the moment the sandbox lets the burst go to the last different event's 200.
int Burst(const Arguments& arguments) {
  if (arguments.size() != 3) return 2;
  Sink sink(std::atoi(arguments[1].c_str()));
  const std::size_t count = std::strtoul(arguments[2].c_str(), nullptr, 10);
  // Made first and sent at once: making them is the sandbox's work. It answers when it has let them go; what
  // came before the answer is not counted.
  Control(arguments[0],
          R"({"command":"burst","hold":true,"user":"alice","roles":["dba"],"count":)" + arguments[2] + "}");
  const std::size_t before = sink.count();
  const auto start = SteadyClock::now();
  if (!sink.WaitFor(count, kLimit)) {
    std::fprintf(stderr, "only %zu of %zu events arrived\n", sink.count(), count);
    return 1;
  }
  const double seconds = SecondsSince(start);
  std::printf("%.0f %.3f %zu\n", static_cast<double>(count - before) / seconds, seconds, sink.requests());
  return 0;
}

// Prints: p50 and p99 in milliseconds, from asking the sandbox for a request to the arrival of its webhook.
int OneByOne(const Arguments& arguments) {
  if (arguments.size() != 3) return 2;
  Sink sink(std::atoi(arguments[1].c_str()));
  const std::size_t count = std::strtoul(arguments[2].c_str(), nullptr, 10);
  constexpr std::size_t kWarmUp = 20;
  std::vector<double> times;
  for (std::size_t i = 0; i < count + kWarmUp; ++i) {
    const auto start = SteadyClock::now();
    Control(arguments[0], R"({"command":"request","user":"alice","roles":["dba"],"reason":"bench"})");
    if (!sink.WaitFor(i + 1, kOneLimit)) {
      std::fprintf(stderr, "event %zu did not arrive\n", i + 1);
      return 1;
    }
    if (i >= kWarmUp) times.push_back(SecondsSince(start) * 1000);
  }
  std::printf("%.3f %.3f\n", Percentile(times, 0.5), Percentile(times, 0.99));
  return 0;
}

}  // namespace load

int main(int argc, char** argv) {
  const load::Arguments all(argv + 1, argv + argc);
  if (all.empty()) return 2;
  const load::Arguments rest(all.begin() + 1, all.end());
  if (all[0] == "burst") return load::Burst(rest);
  if (all[0] == "one-by-one") return load::OneByOne(rest);
  if (all[0] == "callbacks") return load::Callbacks(rest);
  if (all[0] == "slow") return load::Slow(rest);
  if (all[0] == "spawn") return load::Spawn(rest);
  if (all[0] == "sink" && rest.size() == 2) {
    // PORT COUNT: prints a line when so many different events have come.
    load::Sink sink(std::atoi(rest[0].c_str()));
    const std::size_t count = std::strtoul(rest[1].c_str(), nullptr, 10);
    const auto start = load::SteadyClock::now();
    if (!sink.WaitFor(count, std::chrono::hours(2))) return 1;
    std::printf("%zu %.3f\n", sink.count(), load::SecondsSince(start));
    return 0;
  }
  return 2;
}
