#include "daemon/callback_side.h"

#include <utility>

#include "callback/audit_file.h"

namespace tw::daemon {
namespace {

bool UsesTls(const config::Settings& settings) {
  return !settings.http.no_tls && !settings.http.listen_addr.starts_with("unix:");
}

}  // namespace

CallbackSide::CallbackSide(access::AccessApi& api, store::Store& store, const Health& health, Clock& clock,
                           Logger& log)
    : clock_(clock),
      log_(log),
      decider_(api, &store, clock, log),
      // Callbacks are taken as soon as Teleport has been reached, whether or not the first comparison is
      // over.
      decisions_(api, decider_,
                 {[&health] { return health.connected() && !health.draining(); },
                  [&health] { return health.cluster().proxy_address; }}),
      replay_(store) {}

CallbackSide::~CallbackSide() {
  Stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<CallbackSide>> CallbackSide::Start(const config::Settings& settings,
                                                          access::AccessApi& api, store::Store& store,
                                                          const Health& health,
                                                          callback::CallbackObserver& observer, Clock& clock,
                                                          Logger& log) {
  std::unique_ptr<CallbackSide> side(new CallbackSide(api, store, health, clock, log));
  if (const Status opened = side->Open(settings, observer); !opened) return opened.error();
  return side;
}

Status CallbackSide::Open(const config::Settings& settings, callback::CallbackObserver& observer) {
  directory_ = settings.state.dir;
  auto audit = callback::AuditFile::Open(directory_ + "/audit.log", log_);
  if (!audit) return audit.error();
  audit_ = std::move(*audit);
  auto handler = callback::CallbackHandler::Make(settings.http, settings.callback,
                                                 {decisions_, replay_, *audit_, observer, clock_, log_});
  if (!handler) return handler.error();
  handler_ = std::move(*handler);

  callback::HttpServerOptions options;
  options.listen = settings.http.listen_addr;
  options.max_body = settings.http.max_body;
  options.request_timeout = settings.http.request_timeout;
  options.trusted_peers = settings.http.trusted_proxies;
  if (UsesTls(settings)) {
    auto paths = Paths(settings);
    if (!paths) return paths.error();
    auto material = callback::LoadTls(*paths);
    if (!material) return material.error();
    options.tls = std::move(*material);
    certificates_.emplace(std::move(*paths));
    [[maybe_unused]] const auto first = certificates_->Poll();  // what was just loaded is not news
  }
  auto server = callback::LoadHttpServer(log_);
  if (!server) return server.error();
  server_ = std::move(*server);
  const bool tls = options.tls.has_value();
  const auto bound = server_->Start(std::move(options), *handler_);
  if (!bound) return bound.error().Within("http.listen_addr");
  log_.Info("callback listener", {{"address", *bound}, {"tls", tls ? "yes" : "no"}});
  if (settings.callback.mode == config::CallbackMode::kState)
    log_.Info("callbacks set the state and so override Teleport's review thresholds");
  if (settings.http.allow_unauthenticated)
    log_.Warn("callbacks need no credential: anybody who reaches the listener can approve");
  return {};
}

Result<callback::TlsPaths> CallbackSide::Paths(const config::Settings& settings) {
  callback::TlsPaths paths;
  if (settings.http.https_cert_file.empty()) {
    auto made = callback::EnsureSelfSigned(directory_, settings.http.public_addr, clock_.Now(), log_);
    if (!made) return made.error();
    paths = std::move(*made);
  } else {
    paths.key_file = settings.http.https_key_file;
    paths.certificate_file = settings.http.https_cert_file;
  }
  paths.client_ca_file = settings.http.client_ca_file;
  paths.require_client_certificate = settings.http.verify_client_cert;
  return paths;
}

Status CallbackSide::Replace(const config::Settings& settings) {
  std::optional<callback::TlsMaterial> material;
  std::optional<callback::TlsPaths> paths;
  if (UsesTls(settings) && certificates_) {
    auto named = Paths(settings);
    if (!named) return named.error();
    auto loaded = callback::LoadTls(*named);
    if (!loaded) return loaded.error();
    material = std::move(*loaded);
    paths = std::move(*named);
  }
  // First what may still refuse: the settings were checked when they were loaded, the pair was not.
  if (material) {
    if (const Status replaced = server_->ReplaceTls(std::move(*material)); !replaced) return replaced;
    certificates_.emplace(std::move(*paths));
    [[maybe_unused]] const auto first = certificates_->Poll();
  }
  if (const Status reloaded = handler_->Reload(settings.http, settings.callback); !reloaded) return reloaded;
  return server_->TrustPeers(settings.http.trusted_proxies);
}

void CallbackSide::PollCertificates() {
  if (!certificates_) return;
  auto changed = certificates_->Poll();
  if (!changed) return;
  const Status replaced = *changed ? server_->ReplaceTls(std::move(**changed)) : Status(changed->error());
  if (replaced) {
    log_.Info("the callback listener uses the renewed certificate");
  } else {
    log_.Error("the renewed certificate is unusable; the old one stays in force",
               {{"error", replaced.error().message}, {"hint", replaced.error().hint}});
  }
}

void CallbackSide::Stop(std::chrono::milliseconds drain) {
  if (handler_) handler_->Drain();
  if (server_) server_->Stop(drain);
  server_.reset();
}

}  // namespace tw::daemon
