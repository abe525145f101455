#include "teleport/credential_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <system_error>

namespace tw::teleport {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                                IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Quiet for this long (or for one interval, if that is shorter) means written; a writer that never rests is
// looked at every kMaxSettle all the same.
constexpr milliseconds kQuiet{100};
constexpr milliseconds kMaxSettle{1000};
constexpr int kMaxLinks = 40;  // as the kernel's own limit

}  // namespace

std::vector<WatchedEntry> EntriesOnTheWay(const std::string& file) {
  std::vector<WatchedEntry> out;
  std::error_code failed;
  fs::path rest = fs::absolute(file, failed).lexically_normal();
  fs::path done = rest.root_path();
  rest = rest.relative_path();
  int links = 0;
  while (!rest.empty()) {
    const fs::path part = *rest.begin();
    const fs::path after = rest.lexically_relative(part);
    const bool last = after.empty() || after == ".";
    const bool link = fs::is_symlink(fs::symlink_status(done / part, failed));
    if (link || last) out.push_back({done.string(), part.string()});
    if (!link) {
      done /= part;
      rest = last ? fs::path() : after;
      continue;
    }
    if (++links > kMaxLinks) break;
    const fs::path target = fs::read_symlink(done / part, failed);
    const fs::path next = (target.is_absolute() ? target : done / target) / (last ? fs::path() : after);
    rest = next.lexically_normal();
    done = rest.root_path();
    rest = rest.relative_path();
    if (!rest.empty() && rest.filename().empty()) rest = rest.parent_path();
  }
  return out;
}

CredentialWatch::CredentialWatch(std::vector<std::string> files, milliseconds refresh_interval,
                                 std::function<void(std::stop_token)> on_change)
    : files_(std::move(files)),
      interval_(refresh_interval),
      on_change_(std::move(on_change)),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  WatchAll();  // before the thread starts: a change right after construction is seen
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

CredentialWatch::~CredentialWatch() {
  thread_.request_stop();
  LookNow();
}

void CredentialWatch::LookNow() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = ::write(bell_.get(), &one, sizeof(one));
}

bool CredentialWatch::Rung() {
  std::uint64_t times = 0;
  return ::read(bell_.get(), &times, sizeof(times)) == sizeof(times);
}

void CredentialWatch::WatchAll() {
  // Anew each time: what the links lead to may have changed. Without inotify the interval remains.
  inotify_ = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  names_.clear();
  for (const std::string& file : files_) {
    for (const WatchedEntry& entry : EntriesOnTheWay(file)) {
      ::inotify_add_watch(inotify_.get(), entry.directory.c_str(), kMask);
      names_.insert(entry.name);
    }
  }
}

bool CredentialWatch::ReadEvents() {
  alignas(inotify_event) std::array<char, 8192> buffer;
  bool ours = false;
  for (ssize_t got = 0; (got = ::read(inotify_.get(), buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      ours = ours || event->len == 0 || names_.contains(event->name);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  return ours;
}

bool CredentialWatch::AwaitChange(const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + interval_;
  while (!stop.stop_requested()) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return true;
    pollfd polled[2] = {{inotify_.get(), POLLIN, 0}, {bell_.get(), POLLIN, 0}};
    const int ready = ::poll(polled, 2, static_cast<int>(std::min<decltype(left)>(left, 3'600'000)));
    if (ready > 0 && (polled[0].revents & POLLIN) != 0 && ReadEvents()) return true;
    if (ready > 0 && Rung()) return !stop.stop_requested();
  }
  return false;
}

void CredentialWatch::Settle(const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + kMaxSettle;
  const int quiet = static_cast<int>(std::min(kQuiet, interval_).count());
  while (!stop.stop_requested() && std::chrono::steady_clock::now() < until) {
    pollfd polled[2] = {{inotify_.get(), POLLIN, 0}, {bell_.get(), POLLIN, 0}};
    if (::poll(polled, 2, quiet) <= 0) return;
    ReadEvents();
    Rung();  // the look that follows is the one asked for
  }
}

void CredentialWatch::Run(const std::stop_token& stop) {
  while (AwaitChange(stop)) {
    Settle(stop);
    WatchAll();
    if (!stop.stop_requested()) on_change_(stop);
  }
}

}  // namespace tw::teleport
