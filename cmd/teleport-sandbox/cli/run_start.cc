#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "cli/signals.h"
#include "cli/verbs.h"
#include "control/commands.h"
#include "control/socket.h"
#include "sandbox.h"

namespace tw::sandbox {
namespace {

Result<std::chrono::milliseconds> Time(const std::string& flag, const std::string& text) {
  auto time = ParseDuration(text);
  if (!time) return time.error().Within(flag);
  return time;
}

Result<Address> LoopbackAddress(const std::string& flag, const std::string& text) {
  auto address = ParseAddress(text);
  if (!address) return Error::Usage(fmt::format("{}: {}", flag, address.error().message));
  if (!IsLoopbackHost(address->host)) {
    return Error::Usage(fmt::format("{}: {} is not a loopback address", flag, text),
                        "the sandbox is for this machine only; use 127.0.0.1");
  }
  return address;
}

Result<SandboxOptions> MakeOptions(const CommandLine& line) {
  const StartArguments& start = line.start;
  SandboxOptions options;
  options.dir = line.dir;
  options.cluster = start.cluster;
  options.watch_queue = start.watch_queue;
  options.key_type = start.key_type == "rsa" ? KeyType::kRsa : KeyType::kEc;
  const auto release = ParseRelease(start.release);
  if (!release) {
    return Error::Usage("--teleport-version: " + start.release, fmt::format("one of {}", KnownReleases()));
  }
  options.release = *release;
  const auto listen = LoopbackAddress("--addr", start.address);
  if (!listen) return listen.error();
  options.listen = *listen;
  for (const auto& [flag, text, out] : {std::tuple{"--proxy", &start.proxy, &options.proxy},
                                        {"--load-balancer", &start.load_balancer, &options.load_balancer}}) {
    if (text->empty()) continue;
    const auto address = LoopbackAddress(flag, *text);
    if (!address) return address.error();
    *out = *address;
  }
  const auto life = Time("--user-ttl", start.user_ttl);
  if (!life) return life.error();
  options.user_life = std::chrono::ceil<std::chrono::seconds>(*life);
  const auto ping = Time("--min-ping", start.min_ping);
  if (!ping) return ping.error();
  options.min_ping_interval = *ping;
  const auto scan = Time("--expiry-scan", start.expiry_scan);
  if (!scan) return scan.error();
  options.expiry_scan = *scan;
  return options;
}

// Ready when this file is there: written aside, put in place by rename.
Status WriteReadyFile(const Sandbox& sandbox) {
  nlohmann::ordered_json json{{"address", sandbox.address().Text()},
                              {"pid", ::getpid()},
                              {"release", static_cast<int>(sandbox.options().release)},
                              {"cluster", sandbox.options().cluster},
                              {"control", sandbox.File("control.sock")}};
  if (const auto proxy = sandbox.proxy_address()) json["proxy"] = proxy->Text();
  if (const auto balancer = sandbox.load_balancer_address()) json["load_balancer"] = balancer->Text();
  const std::string fresh = sandbox.File(".sandbox.json.new");
  std::ofstream file(fresh);
  file << json.dump(2) << "\n";
  file.close();
  std::error_code failed;
  std::filesystem::rename(fresh, sandbox.File("sandbox.json"), failed);
  if (!file || failed) return Error::Failure("cannot write " + sandbox.File("sandbox.json"));
  return {};
}

void Announce(const Sandbox& sandbox) {
  fmt::print("Teleport {} stand-in, cluster {}, listening on {}\n", ServerVersion(sandbox.options().release),
             sandbox.options().cluster, sandbox.address().Text());
  if (const auto proxy = sandbox.proxy_address()) fmt::print("proxy's web port on {}\n", proxy->Text());
  if (const auto balancer = sandbox.load_balancer_address())
    fmt::print("load balancer on {}\n", balancer->Text());
  fmt::print("credentials for each user, as NAME.key, NAME.crt, NAME.cas and NAME.identity:\n");
  for (const char* user : {"plugin", "reviewer", "notify", "nobody", "alice", "bob"}) {
    fmt::print("  {}\n", sandbox.File(std::string(user) + ".identity"));
  }
  std::fflush(stdout);
}

}  // namespace

int RunStart(const CommandLine& line) {
  const auto options = MakeOptions(line);
  if (!options) return Fail(options.error());
  // gRPC's own lines on stderr would mix with ours; who wants them sets the variable.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  EndSignal end;
  const std::string control_path = (options->dir / "control.sock").string();
  // Before anything is written: another sandbox may live in this directory.
  if (CallControl(control_path, R"({"command":"status"})", std::chrono::seconds(2))) {
    return Fail(Error::Failure("a sandbox already runs in " + options->dir.string(),
                               "stop it, or choose another --dir"));
  }
  auto sandbox = Sandbox::Start(*options);
  if (!sandbox) return Fail(sandbox.error());
  auto control = ControlServer::Open(control_path, [&](const std::string& call, std::stop_token stop) {
    return HandleCommand(
        **sandbox, call, [&end] { end.Stop(); }, std::move(stop));
  });
  if (!control) return Fail(control.error());
  if (const Status ok = WriteReadyFile(**sandbox); !ok) return Fail(ok.error());
  Announce(**sandbox);
  end.Wait();
  std::error_code ignored;
  std::filesystem::remove((*sandbox)->File("sandbox.json"), ignored);
  control->reset();
  (*sandbox)->Stop();
  return 0;
}

}  // namespace tw::sandbox
