// WebSocket: frames give the same bytes however they are cut on the way, and our own frames come back whole.
#include <algorithm>
#include <vector>

#include "fakes/fake_random.h"
#include "fuzz.h"
#include "teleport/websocket.h"

namespace {

using namespace tw;
using namespace tw::teleport;

struct Read {
  std::string data;
  std::vector<std::pair<Opcode, std::string>> controls;
  bool broken = false;
  bool operator==(const Read&) const = default;
};

// Feeds the bytes in pieces of `piece` bytes.
Read ReadAll(std::string bytes, std::size_t piece) {
  Read out;
  FrameReader reader;
  for (std::size_t at = 0; at < bytes.size() && !out.broken;) {
    const std::size_t size = std::min(piece, bytes.size() - at);
    const auto step = reader.Next(bytes.data() + at, size);
    if (!step) {
      FUZZ_CHECK(fuzz::WellWorded(step.error()));
      out.broken = true;
      break;
    }
    FUZZ_CHECK(step->taken > 0 && step->taken <= size);
    FUZZ_CHECK(step->data.empty() ||
               (step->data.data() >= bytes.data() + at &&
                step->data.data() + step->data.size() <= bytes.data() + at + step->taken));
    out.data += step->data;
    if (step->control) {
      FUZZ_CHECK(step->control->payload.size() <= 125);
      out.controls.emplace_back(step->control->opcode, step->control->payload);
    }
    at += step->taken;
  }
  return out;
}

void CheckOwnFrames(std::string_view payload) {
  const Read data = ReadAll(EncodeFrame(Opcode::kBinary, payload), 7);
  FUZZ_CHECK(!data.broken && data.data == payload && data.controls.empty());
  const std::string_view small = payload.substr(0, 125);
  const Read pong = ReadAll(EncodeFrame(Opcode::kPong, small), 3);
  FUZZ_CHECK(!pong.broken && pong.data.empty() && pong.controls.size() == 1);
  FUZZ_CHECK(pong.controls[0].first == Opcode::kPong && pong.controls[0].second == small);
}

void CheckUpgrade(std::string_view answer) {
  static const UpgradeRequest kRequest = [] {
    fakes::FakeRandom random;
    return MakeUpgradeRequest("proxy.example.com:443", random);
  }();
  const Status fine = CheckUpgradeAnswer(answer, kRequest);
  if (!fine) {
    FUZZ_CHECK(fuzz::WellWorded(fine.error()));
    return;
  }
  FUZZ_CHECK(answer.starts_with("HTTP/1.") && answer.find(kRequest.accept) != std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  const std::string bytes(text);
  const Read whole = ReadAll(bytes, size);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}}) FUZZ_CHECK(ReadAll(bytes, piece) == whole);
  CheckOwnFrames(text);
  CheckUpgrade(text);
  return 0;
}
