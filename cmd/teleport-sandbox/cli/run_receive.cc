#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "base/duration.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/signals.h"
#include "cli/verbs.h"
#include "receive/page.h"
#include "receive/receiver.h"

namespace tw::sandbox {
namespace {

Result<std::vector<crypto::WebhookKey>> ReadKeys(const std::string& path) {
  std::vector<crypto::WebhookKey> keys;
  if (path.empty()) return keys;
  std::ifstream file(path);
  if (!file) return Error::Usage("cannot read " + path);
  for (std::string text; std::getline(file, text);) {
    if (Trim(text).empty()) continue;
    auto key = crypto::WebhookKey::ForVerifying(Trim(text), crypto::WebhookScheme::kStandard);
    if (!key) return key.error().Within(path);
    keys.push_back(*std::move(key));
  }
  if (keys.empty())
    return Error::Usage(path + " holds no secret", "one a line: whsec_..., whsk_... or whpk_...");
  return keys;
}

}  // namespace

int RunReceive(const CommandLine& line) {
  const ReceiveArguments& wanted = line.receive;
  const auto address = ParseAddress(wanted.listen);
  if (!address) return Fail(address.error());
  auto keys = ReadKeys(wanted.secret_file);
  if (!keys) return Fail(keys.error());
  const auto delay = ParseDuration(wanted.delay);
  if (!delay) return Fail(delay.error());
  Misbehaviour misbehaviour;
  misbehaviour.status = wanted.status;
  misbehaviour.delay = *delay;
  misbehaviour.fail_rate = wanted.fail_rate;
  misbehaviour.fail_first = wanted.fail_first;
  misbehaviour.fail_status = wanted.fail_status;
  if (wanted.retry_after) misbehaviour.retry_after = std::chrono::seconds(*wanted.retry_after);

  EndSignal end;
  RealClock clock;
  SystemRandom random;
  const bool json = line.output == "ndjson";
  const auto sink = [&](const Received& received) {
    if (!line.quiet) {
      const std::string text = json ? RenderJson(received) + "\n" : RenderText(received);
      std::fwrite(text.data(), 1, text.size(), stdout);
      // A reader that went away (`receive | head`) ends the program.
      if (std::fflush(stdout) != 0) end.Stop();
    }
    if (wanted.count > 0 && received.number >= wanted.count) end.Stop();
  };
  Receiver receiver(misbehaviour, *std::move(keys), clock, random, sink);
  auto bin = HttpBin::Start(*address, [&](Incoming incoming) { return receiver.Take(std::move(incoming)); });
  if (!bin) return Fail(bin.error());
  // Data goes to stdout: in ndjson that is only the webhooks.
  std::FILE* notes = json ? stderr : stdout;
  fmt::print(notes, "receiving on http://{}/ (the last 100 as a page)\n",
             Address{address->host, (*bin)->port()}.Text());
  std::fflush(notes);
  end.Wait();
  receiver.Stop();
  bin->reset();
  fmt::print(line.quiet ? stdout : stderr, "{} received\n", receiver.count());
  return 0;
}

}  // namespace tw::sandbox
