#include "teleport/connector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/duration.h"

namespace tw::teleport {
namespace {

using namespace std::chrono_literals;

constexpr auto kSayExpiredEvery = 60s;
constexpr auto kSayExpiringEvery = 1h;
constexpr std::chrono::hours kLongestWarning{7 * 24};

}  // namespace

Connector::Connector(const config::TeleportSettings& settings, Credentials credentials, Clock& clock,
                     Logger& log, const Keepalive& keepalive)
    : settings_(settings),
      clock_(clock),
      log_(log),
      keepalive_(keepalive),
      finder_(settings, ProcessEnvironment, random_, log),
      credentials_(std::move(credentials)) {}

Connector::~Connector() {
  watch_.reset();
}

const Credentials Connector::CurrentCredentials() const {
  std::lock_guard lock(mutex_);
  return credentials_;
}

void Connector::WarnOnce(const std::string& message) {
  {
    std::lock_guard lock(mutex_);
    if (warned_ == message) return;
    warned_ = message;
  }
  if (!message.empty()) log_.Warn("keeping the Teleport credentials read before", {{"reason", message}});
}

// A set that is half written is no reason to stop: the one before it goes on.
Result<Credentials> Connector::FreshCredentials() {
  Result<Credentials> fresh = LoadCredentials(settings_);
  if (fresh) {
    WarnOnce({});
    std::lock_guard lock(mutex_);
    credentials_ = *fresh;
    return fresh;
  }
  const Credentials before = CurrentCredentials();
  if (DateProblem(before, clock_.Now())) return fresh;
  WarnOnce(fresh.error().message);
  return before;
}

Result<std::shared_ptr<Connection>> Connector::Dial(const Bound& bound) {
  const Result<Credentials> credentials = FreshCredentials();
  if (!credentials) return credentials.error();
  if (const auto problem = DateProblem(*credentials, clock_.Now())) return *problem;
  const Deadline connect_by = std::chrono::steady_clock::now() + settings_.connect_timeout;
  Waiter waiter(std::min(bound.deadline, connect_by), bound.stop);
  Result<Dialled> dialled = finder_.Dial(*credentials, waiter);
  if (!dialled) {
    const Error& error = dialled.error();
    if (error.kind != ErrorKind::kTimeout || bound.deadline < connect_by) return error;
    return Error{ErrorKind::kUnreachable,
                 fmt::format("no connection to {} within {}", settings_.addr,
                             FormatDuration(settings_.connect_timeout)),
                 "check teleport.addr and the way there", true};
  }
  log_.Debug("a connection to Teleport is open",
             {{"addr", settings_.addr},
              {"route", RouteName(dialled->way.route)},
              {"user", credentials->user()},
              {"certificate_expires", FormatTime(credentials->certificate.not_after)}});
  return std::make_shared<Connection>(std::move(*dialled), *credentials, keepalive_);
}

Result<std::shared_ptr<Connection>> Connector::Get(const Bound& bound) {
  std::unique_lock lock(mutex_);
  const std::uint64_t seen = dials_;
  for (;;) {
    if (connection_ && connection_->usable()) return connection_;
    if (dials_ != seen && last_error_) return *last_error_;
    if (!dialling_) break;
    const bool woken = dialled_.wait_until(lock, bound.stop, bound.deadline, [&] { return !dialling_; });
    if (bound.stop.stop_requested()) return Error::Cancelled();
    if (!woken) return Error{ErrorKind::kTimeout, "no connection to Teleport in time", {}, true};
  }
  dialling_ = true;
  std::shared_ptr<Connection> old = std::move(connection_);
  connection_ = nullptr;
  lock.unlock();
  old.reset();  // tears its tunnel down, which may take a moment
  Result<std::shared_ptr<Connection>> fresh = Dial(bound);
  lock.lock();
  dialling_ = false;
  ++dials_;
  last_error_ = fresh ? std::nullopt : std::optional(fresh.error());
  // Cancelling is one caller's own affair.
  if (last_error_ && (last_error_->kind == ErrorKind::kCancelled || last_error_->kind == ErrorKind::kTimeout))
    last_error_.reset();
  if (fresh) Replace(*fresh);
  lock.unlock();
  dialled_.notify_all();
  return fresh;
}

// The one that is replaced may have come about meanwhile, by a dial beside a renewal.
void Connector::Replace(std::shared_ptr<Connection> fresh) {
  if (connection_) connection_->Supersede();
  connection_ = std::move(fresh);
}

void Connector::FollowCredentials() {
  std::lock_guard lock(mutex_);
  if (watch_) return;
  watch_ = std::make_unique<CredentialWatch>(CredentialFiles(settings_), settings_.refresh_interval,
                                             [this](const std::stop_token& stop) { Renew(stop); });
}

void Connector::LookAtCredentials() {
  std::lock_guard lock(mutex_);
  if (watch_) watch_->LookNow();
}

void Connector::TellExpiry(SystemTime now) {
  const Credentials own = CurrentCredentials();
  const auto left = own.certificate.not_after - now;
  const auto lifetime = own.certificate.not_after - own.certificate.not_before;
  if (left > std::min<decltype(left)>(kLongestWarning, lifetime / 6)) return;
  const bool expired = left < left.zero();
  const SteadyTime steady = clock_.Steady();
  // That it has expired is news also right after the warning that it would.
  if (told_expiry_ && told_expired_ == expired &&
      steady - *told_expiry_ < (expired ? Duration(kSayExpiredEvery) : Duration(kSayExpiringEvery)))
    return;
  told_expiry_ = steady;
  told_expired_ = expired;
  const std::string when = FormatTime(own.certificate.not_after);
  if (expired) {
    log_.Error("our Teleport certificate has expired; waiting for a new one",
               {{"file", own.certificate_file}, {"expired", when}});
  } else {
    log_.Warn("our Teleport certificate expires soon", {{"file", own.certificate_file}, {"expires", when}});
  }
}

void Connector::Renew(const std::stop_token& stop) {
  const Result<Credentials> fresh = FreshCredentials();
  TellExpiry(clock_.Now());  // of the newest that can be read: those renewed in time are no news
  if (!fresh) return WarnOnce(fresh.error().message);
  std::shared_ptr<Connection> old;
  {
    std::lock_guard lock(mutex_);
    old = connection_;
  }
  if (!old || !old->usable() || old->credentials().Fingerprint() == fresh->Fingerprint()) return;
  // The new connection stands before the old one is given up, so that credentials which do not work change
  // nothing.
  const Deadline until = std::chrono::steady_clock::now() + settings_.connect_timeout;
  Result<std::shared_ptr<Connection>> renewed = Dial(Bound(until, stop));
  if (!renewed) {
    if (!stop.stop_requested())
      WarnOnce(fmt::format("the renewed ones do not work: {}", renewed.error().message));
    return;
  }
  {
    std::lock_guard lock(mutex_);
    Replace(*renewed);
  }
  told_expiry_.reset();
  log_.Info("moved to the renewed Teleport credentials",
            {{"user", (*renewed)->credentials().user()},
             {"certificate_expires", FormatTime((*renewed)->credentials().certificate.not_after)}});
  old->Supersede();
}

}  // namespace tw::teleport
