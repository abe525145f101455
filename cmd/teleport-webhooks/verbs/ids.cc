#include "verbs/ids.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "access/event_json.h"
#include "base/text.h"

namespace tw::cli {
namespace {

constexpr std::size_t kLongestLine = 4U << 20U;  // an event with every field at its limit is far below
constexpr std::size_t kLongestId = 256;
constexpr int kPollMs = 200;  // how long a stop may go unnoticed

// Lines of standard input; a wait for them ends with `stop`.
class LineReader {
 public:
  explicit LineReader(std::stop_token stop) : stop_(std::move(stop)) {}

  // False at the end of the input or after `stop`.
  Result<bool> Next(std::string& line) {
    while (!stop_.stop_requested()) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return true;
      }
      if (ended_) {
        line = std::exchange(buffer_, {});
        return !line.empty();
      }
      if (buffer_.size() > kLongestLine) return Error::Usage("a line of standard input is too long");
      if (const Status read = Fill(); !read) return read.error();
    }
    return false;
  }

 private:
  Status Fill() {
    pollfd fd{0, POLLIN, 0};
    const int ready = ::poll(&fd, 1, kPollMs);
    if (ready <= 0) return {};
    char chunk[65536];
    const ssize_t got = ::read(0, chunk, sizeof chunk);
    if (got < 0 && errno != EINTR && errno != EAGAIN)
      return Error::Failure(std::string("cannot read standard input: ") + std::strerror(errno));
    if (got == 0) ended_ = true;
    if (got > 0) buffer_.append(chunk, static_cast<std::size_t>(got));
    return {};
  }

  std::stop_token stop_;
  std::string buffer_;
  bool ended_ = false;
};

Result<GivenRequest> ReadLine(std::string_view text) {
  if (text.starts_with("{\"ClusterName\""))
    return Error::Usage("a legacy body, which is no event", "watch --payload event prints events");
  if (text.starts_with('{')) {
    auto event = access::EventFromJson(text);
    if (!event) return event.error();
    if (event->request.id.empty()) return Error::Usage("the event names no access request");
    return GivenRequest{event->request.id, std::move(*event), std::string(text)};
  }
  if (text.starts_with('[')) {
    return Error::Usage("an array, where one event or id a line is due",
                        "take watch without -o json, or jq -c '.[]'");
  }
  std::string id(text);
  if (text.starts_with('"')) {  // as --jq .data.id prints it
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_string()) id = json.get<std::string>();
  }
  if (const Status valid = CheckRequestId(id); !valid) return valid.error();
  return GivenRequest{std::move(id), std::nullopt, {}};
}

Status FromStdin(std::stop_token stop, const std::function<bool(GivenRequest)>& act) {
  LineReader reader(stop);
  for (std::size_t number = 1;; ++number) {
    std::string line;
    const auto more = reader.Next(line);
    if (!more) return more.error();
    if (!*more) return {};
    const std::string_view text = Trim(line);
    if (text.empty()) continue;
    auto given = ReadLine(text);
    if (!given) return given.error().Within(fmt::format("standard input, line {}", number));
    if (!act(std::move(*given))) return {};
  }
}

}  // namespace

Status CheckRequestId(const std::string& id) {
  if (id.empty()) return Error::Usage("the id of the access request is empty");
  if (id == "-") return Error::Usage("\"-\" (standard input) stands alone, without ids");
  if (id.starts_with("evt_")) {
    return Error::Usage(fmt::format("{} is the id of an event, not of an access request", EscapeControls(id)),
                        "take .data.id of the event");
  }
  const bool odd = std::any_of(id.begin(), id.end(), [](char c) { return c <= ' ' || c > '~' || c == '/'; });
  if (odd || id.size() > kLongestId) {
    return Error::Usage(
        fmt::format("\"{}\" is not the id of an access request", EscapeControls(CutUtf8(id, 80))));
  }
  return {};
}

Status ForEachRequest(const Invocation& invocation, std::stop_token stop,
                      const std::function<bool(GivenRequest)>& act) {
  const auto& ids = invocation.args().positional;
  if (ids.size() == 1 && ids[0] == "-") return FromStdin(stop, act);
  // All are looked at before anything is done: a slip in the last must not leave the first half-done.
  for (const std::string& id : ids) {
    if (const Status valid = CheckRequestId(id); !valid) return valid;
  }
  for (const std::string& id : ids) {
    if (stop.stop_requested() || !act({id, std::nullopt, {}})) break;
  }
  return {};
}

}  // namespace tw::cli
