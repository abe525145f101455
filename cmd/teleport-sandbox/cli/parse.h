// The command line of teleport-sandbox as plain values. CLI11 stays inside parse.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tw::sandbox {

struct StartArguments {
  std::string address = "127.0.0.1:3025";
  std::string release = "18";
  std::string cluster = "example.com";
  std::string key_type = "ec";
  std::string user_ttl = "30d";
  std::string proxy;          // address; empty: no proxy front
  std::string load_balancer;  // address; empty: none
  std::string min_ping = "60s";
  std::string expiry_scan = "250ms";
  std::size_t watch_queue = 32768;
};

struct ReceiveArguments {
  std::string listen = "127.0.0.1:8080";
  std::string secret_file;
  int status = 200;
  std::string delay = "0";
  double fail_rate = 0;
  std::uint64_t fail_first = 0;
  int fail_status = 503;
  std::optional<std::uint64_t> retry_after;  // seconds
  std::uint64_t count = 0;                   // 0: until ended
};

struct CommandLine {
  std::string verb;
  std::filesystem::path dir;
  std::string output = "text";  // or json; ndjson for receive
  bool quiet = false;
  std::string timeout = "10s";  // of wait-ready
  std::uint64_t watchers = 0;   // of wait-ready
  StartArguments start;
  ReceiveArguments receive;
  // For all other verbs: the calls to make of the running sandbox, one JSON object each, in order.
  std::vector<std::string> calls;
  // Set for --help: the text, for stdout.
  std::string help;
};

// Error: kUsage, with the nearest verb as a hint where one is near.
Result<CommandLine> ParseCommandLine(int argc, const char* const* argv);

}  // namespace tw::sandbox
