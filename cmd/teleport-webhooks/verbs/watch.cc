// watch: the current requests, then every change, one event a line.
#include <fmt/format.h>
#include <poll.h>

#include <charconv>

#include "access/event_json.h"
#include "access/memory_book.h"
#include "access/watcher.h"
#include "base/duration.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "jq/jq_program.h"
#include "teleport/client.h"
#include "verbs/event_filter.h"
#include "verbs/event_text.h"
#include "verbs/verbs.h"
#include "webhook/legacy_body.h"
#include "wiring/settings.h"
#include "wiring/stderr_logger.h"

namespace tw::cli {
namespace {

using access::Event;
using access::RequestState;

struct WatchPlan {
  EventFilter filter;
  std::unique_ptr<jq::Program> program;
  std::optional<std::size_t> count;
  std::optional<std::string> until;  // "resolved", "approved" or "denied"
  std::string until_id;
  bool once = false;
  bool json_array = false;
  bool text = false;
  bool legacy = false;
};

Status ReadUntil(const Arguments& args, WatchPlan& plan) {
  plan.until = args.Value("until");
  if (!plan.until) return {};
  const auto ids = args.Values("id");
  if (ids.size() != 1) return Error::Usage("--until needs one --id", "name the access request to wait for");
  if (plan.once) return Error::Usage("--until and --once exclude each other");
  plan.until_id = ids[0];
  return {};
}

Status ReadCount(const Arguments& args, WatchPlan& plan) {
  const auto text = args.Value("count");
  if (!text) return {};
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc() || end != text->data() + text->size() || count == 0) {
    return Error::Usage(fmt::format("--count \"{}\" is not a number above 0", EscapeControls(*text)));
  }
  plan.count = count;
  return {};
}

Result<WatchPlan> ReadPlan(Invocation& invocation) {
  const Arguments& args = invocation.args();
  auto filter = EventFilter::From(args);
  if (!filter) return filter.error();
  WatchPlan plan;
  plan.filter = std::move(*filter);
  plan.once = args.Has("once");
  plan.legacy = args.Value("payload") == "legacy";
  if (plan.once && args.Has("watch-only")) return Error::Usage("--once and --watch-only exclude each other");
  plan.json_array = invocation.format() == Format::kJson;
  if (plan.json_array && !plan.once)
    return Error::Usage("-o json is for --once (an array)", "use -o ndjson: one event a line");
  const bool text_wanted =
      invocation.format_given() ? invocation.format() == Format::kText : invocation.out().terminal();
  plan.text = text_wanted && !plan.legacy && !args.Has("jq");
  if (const Status until = ReadUntil(args, plan); !until) return until.error();
  if (const Status count = ReadCount(args, plan); !count) return count.error();
  if (const auto text = args.Value("jq")) {
    const auto compiler = jq::LoadCompiler();
    if (!compiler) return compiler.error();
    auto program = (*compiler)->Compile(*text, "--jq");
    if (!program) return Error::Usage(program.error().message, program.error().hint);
    plan.program = std::move(*program);
  }
  return plan;
}

// Prints events as they are committed, and knows when enough was printed.
class Printer final : public access::ChangeSink {
 public:
  Printer(Invocation& invocation, WatchPlan& plan, access::MemoryBook& book, const config::Settings& settings,
          std::function<void()> stop)
      : invocation_(invocation),
        plan_(plan),
        book_(book),
        settings_(settings),
        stop_(std::move(stop)),
        terminal_(invocation.out().terminal()),
        palette_(invocation.color()) {}

  Status Commit(std::vector<access::Change> changes) override {
    for (const access::Change& change : changes) {
      book_.Keep(change.known);
      if (!change.event || done_) continue;
      if (plan_.filter.Passes(*change.event)) {
        if (const Status printed = Print(*change.event); !printed) return Finish(printed.error());
      }
      if (change.event->request.id == plan_.until_id) Outcome(*change.event);
    }
    return {};
  }

  Status Begin() { return plan_.json_array ? invocation_.out().Write("[") : Status(); }
  Status End() {
    return plan_.json_array ? invocation_.out().Write(lines_ == 0 ? "]\n" : "\n]\n") : Status();
  }

  // What the request of --until came to.
  void Outcome(const Event& event) {
    const RequestState state = event.request.state;
    if (!access::IsResolved(state) && !access::IsGone(event.type)) return;
    const bool wanted = access::IsResolved(state) &&
                        (plan_.until == "resolved" || AsciiLower(access::StateName(state)) == plan_.until);
    if (!wanted) {
      failure_ = Error{ErrorKind::kConflict,
                       fmt::format("access request {} ended {}", event.request.id,
                                   access::IsGone(event.type) ? "without a decision"
                                                              : AsciiLower(access::StateName(state))),
                       {},
                       false};
    }
    Stop();
  }

  void Stop() {
    done_ = true;
    stop_();
  }
  void Fail(Error error) {
    failure_ = std::move(error);
    Stop();
  }
  bool done() const { return done_; }
  std::size_t program_failures() const { return program_failures_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  Status Finish(const Error& error) {
    if (!invocation_.out().closed()) failure_ = error;
    Stop();
    return {};
  }

  Status Print(const Event& event) {
    if (plan_.text) return Emit(EventText(event, palette_));
    std::string json = access::EventToJson(event);
    if (plan_.legacy) {
      const auto fields = webhook::ReadLegacyFields(json);
      if (!fields) return fields.error();
      json = webhook::LegacyJson(*fields, {settings_.notify_only, settings_.http.public_addr});
    }
    if (!plan_.program) return Emit(Shown(json));
    std::vector<std::string> results;
    const Status ran = plan_.program->Each(
        json,
        [](void* context, std::string result) {
          static_cast<std::vector<std::string>*>(context)->push_back(std::move(result));
          return true;
        },
        &results);
    if (!ran) {
      ++program_failures_;
      invocation_.Warn(fmt::format("{}: {}", event.request.id, ran.error().message));
    }
    for (const std::string& result : results) {
      if (const Status emitted = Emit(Shown(result)); !emitted) return emitted;
    }
    return {};
  }

  // JSON leaves some of what steers a terminal as it is (C1, DEL, bidirectional marks); escaped it says the
  // same.
  std::string Shown(const std::string& json) const { return terminal_ ? EscapeControls(json) : json; }

  Status Emit(std::string_view line) {
    if (done_) return {};
    const Status written = plan_.json_array
                               ? invocation_.out().Write(fmt::format("{}\n{}", lines_ == 0 ? "" : ",", line))
                               : invocation_.out().Line(line);
    if (!written) return written;
    ++lines_;
    if (plan_.count && lines_ >= *plan_.count) Stop();
    return {};
  }

  Invocation& invocation_;
  WatchPlan& plan_;
  access::MemoryBook& book_;
  const config::Settings& settings_;
  std::function<void()> stop_;
  bool terminal_;
  Palette palette_;
  std::size_t lines_ = 0;
  std::size_t program_failures_ = 0;
  bool done_ = false;
  std::optional<Error> failure_;
};

// Tells on standard error what happens to the connection.
class Teller final : public access::WatchObserver {
 public:
  Teller(Invocation& invocation, Printer& printer, access::MemoryBook& book, const WatchPlan& plan)
      : invocation_(invocation), printer_(printer), book_(book), plan_(plan) {}

  void OnConnected(const access::ClusterInfo& info) override {
    if (invocation_.verbose())
      invocation_.Note(
          fmt::format("connected to {} (Teleport {}, {})", info.cluster, info.server_version, info.route));
  }
  void OnInStep(std::size_t recovered) override {
    if (std::exchange(lost_, false)) {
      invocation_.Note(recovered == 0
                           ? "connected again; nothing was missed"
                           : fmt::format("connected again; {} missed changes were found", recovered));
    }
    if (!plan_.until) return;
    const auto known = book_.Find(plan_.until_id);
    if (known && !*known) {
      printer_.Fail({ErrorKind::kNotFound, "no access request " + plan_.until_id,
                     "it is unknown, gone, or our role may not list it", false});
    } else if (known && access::IsResolved((*known)->content.state)) {
      Event now;
      now.request = (*known)->content;
      printer_.Outcome(now);
    }
  }
  void OnLost(const Error& error, std::chrono::milliseconds retry_in) override {
    lost_ = true;
    invocation_.Note(fmt::format("{}; trying again in {}", error.message,
                                 FormatDuration(std::max(retry_in, std::chrono::milliseconds(1)))));
  }
  void OnImpaired(const std::string& reason) override {
    impaired_ = reason;
    if (!reason.empty() && !plan_.once)
      invocation_.Warn("warning: " + reason + ": the list of requests may be incomplete");
  }
  void OnTick() override {
    pollfd fd{1, 0, 0};  // a pipe whose reader has gone reports an error without a write
    if (::poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR) != 0 && !printer_.done()) printer_.Stop();
  }
  // Why what was printed may not be all there is; empty: it is all.
  const std::string& impaired() const { return impaired_; }

 private:
  Invocation& invocation_;
  Printer& printer_;
  access::MemoryBook& book_;
  const WatchPlan& plan_;
  std::string impaired_;
  bool lost_ = false;
};

access::SnapshotPolicy Snapshot(const Arguments& args) {
  return args.Has("watch-only") ? access::SnapshotPolicy::kNone : access::SnapshotPolicy::kAll;
}

int Ended(const Invocation& invocation, const Interrupt& interrupt, const Printer& printer,
          const Status& ran) {
  if (printer.failure()) return invocation.Fail(*printer.failure());
  if (printer.done()) return 0;
  if (const auto code = interrupt.exit_code()) {
    return *code == ExitCode(ErrorKind::kTimeout)
               ? invocation.Fail({ErrorKind::kTimeout, "the time limit passed", {}, false})
               : *code;
  }
  return ran ? 0 : invocation.Fail(ran.error());
}

// A list is asked for as a whole: what is missing from it makes it a failure.
int Judged(const Invocation& invocation, const Printer& printer, const Teller& teller) {
  if (!teller.impaired().empty() && !printer.done()) {
    return invocation.Fail({ErrorKind::kCredentials,
                            teller.impaired() + ": the list of requests may be incomplete",
                            "give the plugin's role what `configure --kind role` shows", false});
  }
  if (printer.program_failures() == 0) return 0;
  return invocation.Fail(
      Error::Failure(fmt::format("--jq failed on {} access requests", printer.program_failures())));
}

}  // namespace

int RunWatch(Invocation& invocation) {
  const auto timeout = TimeoutOf(invocation.args(), std::nullopt);
  if (!timeout) return invocation.Fail(timeout.error());
  auto plan = ReadPlan(invocation);
  if (!plan) return invocation.Fail(plan.error());
  const auto settings = wiring::LoadSettings(invocation, config::Purpose::kTeleport);
  if (!settings) return invocation.Fail(settings.error());

  Interrupt interrupt(*timeout);
  wiring::StderrLogger log(invocation);
  RealClock clock;
  SystemRandom random;
  auto api = teleport::MakeTeleportClient(settings->teleport, clock, log);
  if (!api) return invocation.Fail(api.error());
  access::MemoryBook book;
  Printer printer(invocation, *plan, book, *settings, [&] { interrupt.Stop(); });
  Teller teller(invocation, printer, book, *plan);
  access::WatcherOptions options;
  options.snapshot = Snapshot(invocation.args());
  access::Watcher watcher(**api, book, nullptr, printer, teller, clock, random, log, options);
  if (const Status begun = printer.Begin(); !begun)
    return invocation.out().closed() ? 0 : invocation.Fail(begun.error());
  const Status ran = plan->once ? watcher.RunOnce(interrupt.token()) : watcher.Run(interrupt.token(), true);
  const int code = Ended(invocation, interrupt, printer, ran);
  if (code != 0 || invocation.out().closed()) return code;
  const Status end = printer.End();
  if (!end) return invocation.out().closed() ? 0 : invocation.Fail(end.error());
  return plan->once ? Judged(invocation, printer, teller) : 0;
}

}  // namespace tw::cli
