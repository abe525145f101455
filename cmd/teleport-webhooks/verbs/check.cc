// check: looks at everything in turn.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "base/duration.h"
#include "callback/audit_file.h"
#include "callback/authenticator.h"
#include "callback/listener.h"
#include "callback/tls_files.h"
#include "cli/interrupt.h"
#include "crypto/webhook_signature.h"
#include "store/sqlite_store.h"
#include "store/state_dir.h"
#include "teleport/diagnose.h"
#include "verbs/certificate_report.h"
#include "verbs/config_report.h"
#include "verbs/findings.h"
#include "verbs/hand_sender.h"
#include "verbs/queue_report.h"
#include "verbs/send_targets.h"
#include "verbs/signature_report.h"
#include "verbs/stored_deliveries.h"
#include "verbs/test_event.h"
#include "verbs/verbs.h"
#include "wiring/settings.h"

namespace tw::cli {
namespace {

constexpr std::chrono::seconds kDefaultTimeout{30};
constexpr std::chrono::hours kWarnExpiry{24};

class Checking {
 public:
  Checking(Invocation& invocation, const config::Settings& settings, std::chrono::milliseconds warn_expiry,
           const Interrupt& interrupt)
      : invocation_(invocation),
        settings_(settings),
        warn_expiry_(warn_expiry),
        interrupt_(interrupt),
        printer_(invocation) {}

  FindingPrinter& printer() { return printer_; }

  void Everything() {
    Policy();
    Teleport();
    Endpoints();
    Callbacks();
    Store();
    if (invocation_.args().Has("send-test") && !Offline()) SendTests();
  }

 private:
  bool Offline() const { return invocation_.args().Has("offline"); }

  void Policy() {
    const config::CallbackSettings& callback = settings_.callback;
    if (settings_.notify_only) return;
    if (callback.mode == config::CallbackMode::kState) {
      printer_.Add("callback", Fine("mode = \"state\": a decision overrides Teleport's review thresholds"));
    } else {
      printer_.Add("callback",
                   Fine("mode = \"review\": a decision counts as one review by the plugin's own user"));
    }
    if (callback.delegator == config::DelegatorSource::kBody) {
      printer_.Add("callback", Warning("delegator = \"body\": who decided, and that nobody approves for "
                                       "himself, rests on the caller's word",
                                       "write delegator = \"auth\""));
    }
    if (!callback.deny_self_approval)
      printer_.Add("callback",
                   Warning("deny_self_approval is off", "requesters may approve their own requests"));
    if (settings_.http.allow_unauthenticated) {
      printer_.Add("callback",
                   Warning("allow_unauthenticated is on: anybody who reaches the listener can approve",
                           "configure a credential"));
    }
    if (settings_.http.no_tls)
      printer_.Add("callback", Warning("plain HTTP: credentials pass in the clear unless a proxy ends TLS"));
  }

  void Teleport() {
    teleport::DiagnoseOptions options;
    const auto environment = config::ProcessEnvironment();
    if (const auto found = environment.find("CREDENTIALS_DIRECTORY"); found != environment.end())
      options.credentials_directory = found->second;
    options.offline = Offline();
    options.will_review = !settings_.notify_only && settings_.callback.mode == config::CallbackMode::kReview;
    options.will_decide = !settings_.notify_only && !options.will_review;
    options.warn_expiry = std::chrono::duration_cast<std::chrono::seconds>(warn_expiry_);
    printer_.Add("teleport", teleport::Diagnose(settings_.teleport, options, clock_,
                                                {kDefaultTimeout, interrupt_.token()}));
  }

  void Endpoints() {
    for (const config::EndpointSettings& endpoint : settings_.endpoints) {
      const std::string area = "endpoint " + endpoint.name;
      if (endpoint.secrets.empty())
        printer_.Add(area, Warning("deliveries are not signed",
                                   "make a secret with: teleport-webhooks configure --new-secret"));
      PublicKeys(endpoint, area);
      printer_.Add(area, EndpointFilesReport(endpoint, clock_.Now(), warn_expiry_));
      if (endpoint.insecure_skip_verify)
        printer_.Add(area,
                     Warning("insecure_skip_verify is on: the receiver's certificate is not looked at"));
      if (!endpoint.url.https() && !IsLoopbackHost(endpoint.url.host))
        printer_.Add(area, Warning("plain http: bodies and headers pass in the clear"));
      if (!Offline() && endpoint.proxy_url.empty()) printer_.Add(area, Reach(endpoint));
    }
  }

  // What the receiver verifies with, which nothing else prints.
  void PublicKeys(const config::EndpointSettings& endpoint, const std::string& area) {
    if (endpoint.signature != config::SignatureScheme::kStandard) return;
    for (const Secret& secret : endpoint.secrets) {
      const auto key = crypto::WebhookKey::ForSigning(secret.Reveal(), crypto::WebhookScheme::kStandard);
      if (key && key->kind() == crypto::WebhookKey::Kind::kEd25519)
        printer_.Add(area, Fine("signs with Ed25519; its public key is " + key->PublicText()));
    }
  }

  Finding Reach(const config::EndpointSettings& endpoint) {
    const access::CallLimits limits{std::chrono::seconds(5), interrupt_.token()};
    const Status reached = teleport::Reach({endpoint.url.host, endpoint.url.port}, limits);
    if (!reached && reached.error().kind == ErrorKind::kCancelled) return Problem(reached.error());
    if (!reached)
      return Problem(ErrorKind::kReceiver, reached.error().message,
                     "is the receiver up, and reachable from here? A proxy is named with proxy_url");
    return Fine(fmt::format("{} answers", endpoint.url.Origin()));
  }

  void Callbacks() {
    if (settings_.notify_only) {
      printer_.Add("callback", Fine("no listener: notify_only is set"));
      return;
    }
    if (const auto problem = callback::StartupProblem(settings_.http, settings_.callback)) {
      printer_.Add("callback", Problem(*problem));
      return;
    }
    printer_.Add("callback", Fine("credentials are configured"));
    if (!settings_.http.no_tls && !settings_.http.https_cert_file.empty()) Certificate();
    Listening();
  }

  // Could serve listen? Tried for a moment where trying leaves nothing behind.
  void Listening() {
    const std::string& address = settings_.http.listen_addr;
    if (address == "systemd") return;
    if (address.starts_with("unix:")) {
      printer_.Add("callback", UnixSocket(address.substr(5)));
      return;
    }
    const auto listener = callback::Listener::Open(address);
    if (listener) {
      printer_.Add("callback", Fine(fmt::format("{} is free to listen on", address)));
    } else {
      printer_.Add("callback", CannotListen(listener.error()));
    }
  }

  Finding CannotListen(const Error& error) const {
    const bool taken = error.retryable;
    const bool lacks_right = error.kind == ErrorKind::kCredentials;
    const auto serving = store::ServingPid(settings_.state.dir);
    if ((taken || lacks_right) && serving && *serving)
      return Fine(fmt::format("{} is held by our own daemon", settings_.http.listen_addr));
    if (lacks_right)
      return Warning(error.message, "run check as the user that runs serve, or give that user the right");
    // systemd tells the daemon a state directory that is not known here.
    const bool may_be_elsewhere = settings_.state.dir == config::StateSettings().dir;
    if (taken && (!serving || may_be_elsewhere)) {
      return Warning(
          error.message,
          "fine if our own daemon listens there, which its state directory tells: set state.dir and "
          "run check as the daemon's user; else choose another http.listen_addr");
    }
    return Problem(ErrorKind::kConfig, error.message, error.hint);
  }

  static Finding UnixSocket(const std::filesystem::path& path) {
    std::error_code failed;
    const std::filesystem::path parent = path.parent_path();
    const std::string directory = parent.empty() ? "." : parent.string();
    const auto there = std::filesystem::symlink_status(path, failed);
    if (std::filesystem::exists(there) && !std::filesystem::is_socket(there)) {
      return Problem(ErrorKind::kConfig, fmt::format("{} is there and is no socket", path.string()),
                     "choose another path in http.listen_addr, or remove the file");
    }
    if (!std::filesystem::is_directory(directory, failed)) {
      return Warning(fmt::format("{} is no directory now, so serve cannot make its socket there", directory),
                     "make it, or let systemd make it at the start (RuntimeDirectory=)");
    }
    if (::access(directory.c_str(), W_OK | X_OK) != 0) {
      return Warning(fmt::format("this user cannot make a socket in {}", directory),
                     "run check as the user that runs serve, or give it the directory");
    }
    return Fine(fmt::format("a socket can be made in {}", directory));
  }

  void Certificate() {
    callback::TlsPaths paths;
    paths.key_file = settings_.http.https_key_file;
    paths.certificate_file = settings_.http.https_cert_file;
    paths.client_ca_file = settings_.http.client_ca_file;
    printer_.Add("callback", PairReport(paths, clock_.Now(), warn_expiry_));
  }

  void Store() {
    const auto pid = store::ServingPid(settings_.state.dir);
    if (pid && *pid)
      printer_.Add("state",
                   Fine(fmt::format("{} is in use by our own daemon, pid {}", settings_.state.dir, **pid)));
    store::SqliteOptions options;
    options.create = false;
    const auto store = store::OpenSqliteStore(settings_.state.dir, options);
    if (!store && store.error().kind == ErrorKind::kNotFound) {
      printer_.Add("state", NoStoreYet());
      return;
    }
    if (!store) {
      printer_.Add("state", Problem(ErrorKind::kConfig, store.error().message, store.error().hint));
      return;
    }
    Queue(**store);
    Audit();
  }

  Finding NoStoreYet() const {
    const std::string& dir = settings_.state.dir;
    std::filesystem::path nearest = std::filesystem::path(dir).lexically_normal();
    std::error_code failed;
    while (!std::filesystem::exists(nearest, failed) && nearest.has_relative_path())
      nearest = nearest.parent_path();
    if (nearest.empty() || ::access(nearest.c_str(), W_OK | X_OK) == 0)
      return Fine(fmt::format("{} has no store yet; serve makes it", dir));
    return Warning(fmt::format("{} has no store yet, and this user cannot make it", dir),
                   "make the directory for the user that runs serve, or set state.dir");
  }

  void Queue(store::Store& store) {
    const auto summaries = store.Summaries();
    if (!summaries) {
      printer_.Add("state", Problem(ErrorKind::kConfig, summaries.error().message, summaries.error().hint));
      return;
    }
    std::int64_t dead = 0;
    std::int64_t pending = 0;
    for (const store::QueueSummary& summary : *summaries) dead += summary.dead, pending += summary.pending;
    printer_.Add("state", Fine(fmt::format("{} opens; {} deliveries wait", settings_.state.dir, pending)));
    if (dead > 0)
      printer_.Add(
          "state",
          Warning(fmt::format("{} dead letters", dead),
                  "see teleport-webhooks check --queue, then send --failed or send --failed --discard"));
  }

  void Audit() {
    const std::string path = settings_.state.dir + "/audit.log";
    const auto report = callback::VerifyAudit(path);
    if (!report) {
      printer_.Add("audit", Problem(ErrorKind::kConfig, report.error().message, report.error().hint));
    } else if (!report->whole) {
      printer_.Add("audit", Problem(ErrorKind::kConfig, report->problem,
                                    "somebody changed the trail or took records away, or the disk failed"));
    } else if (report->lines == 0) {
      printer_.Add("audit", Fine(path + " has no record yet"));
    } else {
      const std::string begin =
          report->from_start
              ? ""
              : fmt::format(" (from number {} on: those before are not here)", report->first_seq);
      printer_.Add("audit", Fine(fmt::format("{} records, the chain is unbroken{}", report->lines, begin)));
    }
  }

  void SendTests() {
    const auto plans = MakePlans(settings_);
    if (!plans) {
      printer_.Add("endpoint", Problem(plans.error()));
      return;
    }
    const auto transport = webhook::LoadHttpTransport();
    const auto event = MakeTestEvent("", {}, clock_, random_);
    if (!transport || !event) return;
    for (const webhook::EndpointPlan& plan : *plans) {
      const std::string area = "endpoint " + plan.settings().name;
      const auto report = webhook::SendOnce(**transport, plan, {event->id, event->json, 0}, clock_, random_,
                                            {}, interrupt_.token());
      if (!report && report.error().kind == ErrorKind::kCancelled) return;
      if (!report) {
        printer_.Add(area, Problem(ErrorKind::kReceiver, report.error().message, report.error().hint));
      } else if (report->judgement.verdict == webhook::Verdict::kDelivered) {
        printer_.Add(area, Fine("the test event was taken: " + report->judgement.what));
        LiftHold(invocation_, settings_.state.dir, plan.settings().name);
      } else {
        printer_.Add(area,
                     Problem(ErrorKind::kReceiver, "the test event was not taken: " + report->judgement.what,
                             "see with: teleport-webhooks send --test -v"));
      }
    }
  }

  Invocation& invocation_;
  const config::Settings& settings_;
  std::chrono::milliseconds warn_expiry_;
  const Interrupt& interrupt_;
  RealClock clock_;
  SystemRandom random_;
  FindingPrinter printer_;
};

// The configuration itself: every problem and warning a finding.
void TellConfiguration(const config::LoadResult& result, const std::string& advice, FindingPrinter& printer) {
  for (const config::Problem& problem : result.problems)
    printer.Add("configuration", Problem(problem.kind, problem.Text()));
  for (const config::Problem& warning : result.warnings)
    printer.Add("configuration", Warning(warning.Text()));
  if (!result.settings && !advice.empty()) printer.Add("configuration", Warning(advice));
  if (result.settings)
    printer.Add("configuration",
                Fine(result.settings->origin.empty() ? "no file; defaults, environment and flags"
                                                     : result.settings->origin + " is well-formed"));
}

// A flag that would be passed over in silence is refused instead.
Status FlagsFit(const Arguments& args) {
  const std::vector<std::string_view> alone = {"show-config", "queue", "signature"};
  std::string_view first;
  for (const std::string_view flag : alone) {
    if (!args.Has(flag)) continue;
    if (!first.empty()) return Error::Usage(fmt::format("--{} and --{} exclude each other", first, flag));
    first = flag;
  }
  if (args.Has("send-test") && (args.Has("offline") || !first.empty())) {
    return Error::Usage(
        fmt::format("--{} and --send-test exclude each other", first.empty() ? "offline" : first));
  }
  for (const std::string_view flag : {"secret-file", "at"}) {
    if (args.Has(flag) && first != "signature")
      return Error::Usage(fmt::format("--{} is for --signature", flag), "name the captured request with it");
  }
  return {};
}

int ShowConfig(Invocation& invocation, const config::LoadInput& input, const config::LoadResult& result) {
  const Status written = ReportConfig(invocation, result);
  if (!written && !invocation.out().closed()) return invocation.Fail(written.error());
  return result.settings ? 0 : invocation.Fail(wiring::ConfigError(invocation, input, result));
}

}  // namespace

int RunCheck(Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (const Status fit = FlagsFit(args); !fit) return invocation.Fail(fit.error());
  if (args.Has("signature")) return ReportSignature(invocation);
  const auto timeout = TimeoutOf(args, kDefaultTimeout);
  if (!timeout) return invocation.Fail(timeout.error());
  std::chrono::milliseconds warn_expiry = kWarnExpiry;
  if (const auto text = args.Value("warn-expiry")) {
    const auto duration = ParseDuration(*text);
    if (!duration) return invocation.Fail(duration.error().Within("--warn-expiry"));
    warn_expiry = *duration;
  }
  auto input =
      wiring::GatherInput(invocation, args.Has("queue") ? config::Purpose::kSend : config::Purpose::kServe);
  if (!input) return invocation.Fail(input.error());
  if (!args.Has("queue") && !args.Has("show-config")) input->file_check = config::FileCheck::kAll;
  const config::LoadResult result = config::Load(*input);
  if (args.Has("show-config")) return ShowConfig(invocation, *input, result);
  if (args.Has("queue"))
    return result.settings ? ReportQueue(invocation, *result.settings)
                           : invocation.Fail(wiring::ConfigError(invocation, *input, result));

  const Interrupt interrupt(*timeout);
  FindingPrinter alone(invocation);
  if (!result.settings) {
    TellConfiguration(result, wiring::FileAdvice(invocation, *input), alone);
    return alone.Finish();
  }
  Checking checking(invocation, *result.settings, warn_expiry, interrupt);
  TellConfiguration(result, {}, checking.printer());
  checking.Everything();
  const int found = checking.printer().Finish();
  if (const auto code = interrupt.exit_code()) {
    if (*code == ExitCode(ErrorKind::kTimeout))
      return invocation.Fail({ErrorKind::kTimeout, "the time limit passed", "raise --timeout", true});
    return *code;
  }
  return found;
}

}  // namespace tw::cli
