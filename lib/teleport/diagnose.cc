#include "teleport/diagnose.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/duration.h"
#include "base/random.h"
#include "base/text.h"
#include "teleport/client.h"
#include "teleport/credentials.h"
#include "teleport/route.h"
#include "teleport/tcp.h"
#include "teleport/wait.h"

namespace tw::teleport {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kInitTimeout{15'000};
// More than this is no delay of an answer, and certificates of an hour begin to suffer from it.
constexpr std::chrono::seconds kMaxSkew{30};

class Doctor {
 public:
  Doctor(const config::TeleportSettings& settings, const DiagnoseOptions& options, Clock& clock,
         const access::CallLimits& limits)
      : settings_(settings),
        options_(options),
        clock_(clock),
        stop_(limits.stop),
        deadline_(std::chrono::steady_clock::now() + limits.timeout) {}

  std::vector<Finding> Run() {
    LookAtPermissions();
    Result<Credentials> credentials = LoadCredentials(settings_);
    if (!credentials) {
      Problem(credentials.error());
      return findings_;
    }
    const bool dates_fine = LookAtCertificate(*credentials);
    LookAtCas(*credentials);
    if (options_.offline || !dates_fine) return findings_;
    if (auto info = LookAtServer()) {
      Compare(*info, *credentials);
      LookAtRights();
      LookAtStream();
    }
    return findings_;
  }

 private:
  void Fine(std::string what) { findings_.push_back({Severity::kFine, std::move(what), {}, {}}); }
  void Warn(std::string what, std::string remedy) {
    findings_.push_back({Severity::kWarning, std::move(what), std::move(remedy), {}});
  }
  void Problem(const Error& error) {
    findings_.push_back({Severity::kProblem, error.message, error.hint, error.kind});
  }
  access::CallLimits Left() const {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - std::chrono::steady_clock::now());
    return {std::max(left, milliseconds(0)), stop_};
  }

  void LookAtPermissions() {
    const std::string& secret = settings_.identity.empty() ? settings_.client_key : settings_.identity;
    struct stat info {};
    if (secret.empty() || ::stat(secret.c_str(), &info) != 0)
      return;  // missing files are told with the credentials
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0)
      return Fine(fmt::format("{} can be read by its owner only", secret));
    if (!options_.credentials_directory.empty() && secret.starts_with(options_.credentials_directory + "/"))
      return Fine(fmt::format("{} is a credential of the unit", secret));
    Warn(fmt::format("{} holds a private key and has mode {:04o}", secret, info.st_mode & 07777U),
         fmt::format("chmod 600 {}", secret));
  }

  bool LookAtCertificate(const Credentials& own) {
    Fine(fmt::format(
        "key and certificate belong together: user {}, roles {}, cluster {}", EscapeControls(own.user()),
        EscapeControls(fmt::format("{}", fmt::join(own.roles(), ", "))), EscapeControls(own.cluster())));
    const SystemTime now = clock_.Now();
    if (const auto problem = DateProblem(own, now)) {
      Problem(*problem);
      return false;
    }
    const SystemTime until = own.certificate.not_after;
    if (until - now < options_.warn_expiry) {
      const auto left = std::chrono::duration_cast<std::chrono::minutes>(until - now);
      Warn(fmt::format("the certificate expires on {}, in {}", FormatTime(until), FormatDuration(left)),
           "nothing, if a bot renews it; else sign a new one with `tctl auth sign`");
    } else {
      Fine(fmt::format("the certificate is valid until {}", FormatTime(until)));
    }
    if (!own.certificate.usages.empty()) {
      Warn(fmt::format("the certificate is restricted to {}",
                       EscapeControls(fmt::format("{}", fmt::join(own.certificate.usages, ", ")))),
           "the Auth Service refuses restricted certificates: sign one without restriction");
    }
    return true;
  }

  void LookAtCas(const Credentials& own) {
    std::size_t expired = 0;
    for (const crypto::Certificate& ca : own.cas) {
      if (ca.ValidAt(clock_.Now())) continue;
      ++expired;
      Warn(fmt::format("the CA {} in {} is valid from {} to {} only", EscapeControls(ca.subject), own.ca_file,
                       FormatTime(ca.not_before), FormatTime(ca.not_after)),
           "write the credentials anew after a CA rotation");
    }
    if (expired < own.cas.size())
      Fine(fmt::format("{} of {} CA certificates are valid", own.cas.size() - expired, own.cas.size()));
  }

  std::optional<access::ClusterInfo> LookAtServer() {
    auto client = MakeTeleportClient(settings_, clock_, quiet_);
    if (!client) {
      Problem(client.error());
      return std::nullopt;
    }
    client_ = std::move(*client);
    const auto begin = std::chrono::steady_clock::now();
    auto info = client_->Ping(Left());
    if (!info) {
      Problem(BetterHint(info.error()));
      return std::nullopt;
    }
    const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    const std::string named =
        info->cluster_name_from.empty()
            ? ""
            : fmt::format(" (the name of the cluster is from the {})", info->cluster_name_from);
    Fine(fmt::format("{} answered in {} ms: Teleport {}, cluster {}, route {}{}", settings_.addr,
                     took.count(), EscapeControls(info->server_version), EscapeControls(info->cluster),
                     info->route, named));
    if (info->route != RouteName(config::Route::kAuth)) LookAtClock();
    return *info;
  }

  // Is it a proxy's web port where an Auth Service was expected?
  Error BetterHint(Error error) {
    if (settings_.route != config::Route::kAuth || error.kind == ErrorKind::kCancelled) return error;
    const auto facts = AskProxy();
    if (!facts) return error;
    error.message = fmt::format(
        "{} is the web port of a Teleport proxy ({}), and route = \"auth\" goes to an Auth Service only: {}",
        settings_.addr, EscapeControls(facts->server_version), error.message);
    error.hint = "set teleport.route = \"auto\" (or \"proxy\"), or teleport.addr to the Auth Service";
    return error;
  }

  Result<ProxyFacts> AskProxy() {
    RouteFinder finder(settings_, ProcessEnvironment, random_, quiet_);
    Waiter waiter(std::min<Deadline>(deadline_, std::chrono::steady_clock::now() + settings_.connect_timeout),
                  stop_);
    return finder.AskProxy(waiter);
  }

  void LookAtClock() {
    const auto facts = AskProxy();
    if (!facts || !facts->date) return;
    const auto skew = std::chrono::duration_cast<std::chrono::seconds>(clock_.Now() - *facts->date);
    if (std::chrono::abs(skew) <= kMaxSkew) return Fine("this machine's clock agrees with the proxy's");
    Warn(fmt::format("this machine's clock is {} s {} the proxy's", std::chrono::abs(skew).count(),
                     skew.count() > 0 ? "ahead of" : "behind"),
         "set the clock (NTP): certificates and signatures depend on it");
  }

  void Compare(const access::ClusterInfo& info, const Credentials& own) {
    if (info.cluster == own.cluster()) return;
    Warn(fmt::format("the certificate is of cluster {}, the Auth Service of cluster {}",
                     EscapeControls(own.cluster()), EscapeControls(info.cluster)),
         "check that teleport.addr is the cluster you mean");
  }

  void Need(bool granted, std::string_view right, std::string_view why) {
    if (granted) return Fine(fmt::format("our role grants {}", right));
    Problem({ErrorKind::kCredentials, fmt::format("our role lacks {} ({})", right, why),
             fmt::format("add {} to the plugin's role (see `configure --kind role`)", right), false});
  }

  void LookAtRights() {
    const auto rights = client_->Rights(Left());
    if (!rights) return Problem(rights.error());
    if (!*rights) {
      return Warn("our rights cannot be read from this Teleport",
                  "give the role list, read and update on access_request");
    }
    Need((*rights)->list, "list on access_request", "without it missed requests are never found");
    Need((*rights)->read, "read on access_request", "without it nothing can be watched");
    if (options_.will_decide && !options_.will_review)
      Need((*rights)->update, "update on access_request", "needed to approve and deny");
    if (options_.will_review) Need((*rights)->review, "allow.review_requests", "needed to submit reviews");
  }

  void LookAtStream() {
    const auto stream = client_->Watch(stop_);
    if (!stream) return Problem(stream.error());
    const auto changes = (*stream)->Read(1, std::min(kInitTimeout, Left().timeout));
    if (!changes) return Problem(changes.error());
    if (!changes->empty()) return Fine("the event stream opens");
    Problem({ErrorKind::kUnreachable, "the event stream opens, but its first event does not come",
             "see the Auth Service's log: its cache may not be ready", true});
  }

  const config::TeleportSettings& settings_;
  const DiagnoseOptions& options_;
  Clock& clock_;
  const std::stop_token stop_;
  const Deadline deadline_;
  NullLogger quiet_;
  SystemRandom random_;
  std::unique_ptr<TeleportClient> client_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> Diagnose(const config::TeleportSettings& settings, const DiagnoseOptions& options,
                              Clock& clock, const access::CallLimits& limits) {
  return Doctor(settings, options, clock, limits).Run();
}

Status Reach(const Address& address, const access::CallLimits& limits) {
  Waiter waiter(std::chrono::steady_clock::now() + limits.timeout, limits.stop);
  const auto socket = ConnectTcp(address, waiter);
  return socket ? Status() : socket.error();
}

}  // namespace tw::teleport
