#include "verbs/signature_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <iterator>
#include <optional>

#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "callback/binding.h"
#include "callback/headers.h"
#include "config/files.h"
#include "crypto/signature_diagnosis.h"
#include "verbs/findings.h"
#include "verbs/send_targets.h"
#include "wiring/settings.h"

namespace tw::cli {
namespace {

// `method` empty: no request line was captured.
using Captured = callback::HttpRequest;

Result<std::string> ReadStdin() {
  std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  if (text.size() > config::kMostFileBytes) return Error::Usage("the captured request is larger than 1 MiB");
  return text;
}

Result<std::string> ReadRequest(const std::string& path) {
  if (path == "-") return ReadStdin();
  auto file = config::RealFiles().Read(path);
  if (file) return std::move(file->text);
  Error error = file.error().Within("--signature");
  error.kind = ErrorKind::kFailure;
  return error;
}

// Headers (a request line before them is passed over), an empty line, the body as it is. In what `curl -v`
// and `send -v` show, the head's lines begin with "> ", and lines of other beginnings stand around the body.
Captured Parse(std::string_view text) {
  Captured captured;
  bool shown = false;
  while (!text.empty()) {
    std::string_view line = Trim(text.substr(0, text.find('\n')));
    const bool marked = line.starts_with('>');
    if (shown && !marked) break;
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    shown = marked;
    if (marked) line = Trim(line.substr(1));
    if (line.empty()) break;
    if (captured.headers.empty() && captured.method.empty()) {
      const auto words = Split(line, ' ');
      if (words.size() == 3 && words[2].starts_with("HTTP/")) {
        captured.method = words[0];
        captured.target = words[1];
        continue;
      }
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.substr(0, colon).find(' ') != std::string_view::npos)
      continue;
    captured.headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
  }
  if (shown) {
    while (text.starts_with("* ") || text.starts_with("} ["))
      text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    text = text.starts_with("< ") ? std::string_view() : text.substr(0, text.find("\n< "));
  }
  captured.body = text;
  return captured;
}

using crypto::WebhookScheme;

struct Keys {
  WebhookScheme scheme = WebhookScheme::kStandard;
  std::vector<Secret> secrets;
};

WebhookScheme SchemeOf(const Captured& captured) {
  const auto has = [&](std::string_view name) { return !callback::FindHeaders(captured, name).empty(); };
  return has(crypto::kGithubSignatureHeader) && !has(crypto::kWebhookSignatureHeader)
             ? WebhookScheme::kGithub
             : WebhookScheme::kStandard;
}

// Those of the configuration for the scheme of the captured request; where it has none, those of the other
// one, so that this is what is told.
Result<Keys> ReadKeys(const Invocation& invocation, WebhookScheme scheme) {
  if (const auto path = invocation.args().Value("secret-file")) {
    auto secret = ReadSecretFile(*path);
    if (!secret) return secret.error();
    return Keys{scheme, {*std::move(secret)}};
  }
  const auto settings = wiring::LoadSettings(invocation, config::Purpose::kSend);
  if (!settings) return settings.error();
  Keys standard{WebhookScheme::kStandard, {}};
  Keys github{WebhookScheme::kGithub, {}};
  const auto add = [&](config::SignatureScheme of, const Secret& secret) {
    if (!secret.empty())
      (of == config::SignatureScheme::kGithub ? github : standard).secrets.push_back(secret);
  };
  add(settings->callback.signature, settings->callback.secret);
  for (const auto& caller : settings->callback.callers) add(settings->callback.signature, caller.hmac_secret);
  for (const auto& endpoint : settings->endpoints) {
    for (const Secret& secret : endpoint.secrets) add(endpoint.signature, secret);
  }
  if (standard.secrets.empty() && github.secrets.empty())
    return Error::Config("the configuration holds no secret", "name one with --secret-file");
  const bool as_github =
      standard.secrets.empty() || (scheme == WebhookScheme::kGithub && !github.secrets.empty());
  return as_github ? github : standard;
}

// A right signature that the callback listener would take for none; nullopt: it counts there, or what was
// captured is no callback.
std::optional<Finding> WorthNothing(const Captured& captured) {
  const callback::Route route = callback::FindRoute(captured.method, captured.target);
  if (route.kind == callback::RouteKind::kShow) {
    return Problem(ErrorKind::kCredentials, "as a callback it is answered 401: a signature never opens a GET",
                   "look with another credential");
  }
  if (route.kind != callback::RouteKind::kApprove && route.kind != callback::RouteKind::kDeny)
    return std::nullopt;
  std::string_view body = captured.body;
  for (const std::string_view value : callback::FindHeaders(captured, "content-length")) {
    std::size_t length = 0;
    if (std::from_chars(value.data(), value.data() + value.size(), length).ec == std::errc())
      body = body.substr(0, length);
  }
  const auto types = callback::FindHeaders(captured, "content-type");
  const callback::BodyFormat format =
      callback::FormatOf(types.empty() ? std::string_view() : types.back(), body);
  const auto ask = format == callback::BodyFormat::kOther
                       ? Result<callback::Ask>(Error::Usage("its Content-Type is neither JSON nor a form"))
                       : callback::ParseV1Body(format, body);
  if (ask && callback::BindingOf(route, *ask) == callback::Binding::kBound) return std::nullopt;
  return Problem(ErrorKind::kCredentials,
                 "as a callback it is answered 401: " +
                     (ask ? "the signed body must name request_id and decision, both as the path does"
                          : ask.error().message),
                 "send for example {\"request_id\":\"...\",\"decision\":\"approve\"} as application/json");
}

}  // namespace

int ReportSignature(Invocation& invocation) {
  const Arguments& args = invocation.args();
  const auto text = ReadRequest(*args.Value("signature"));
  if (!text) return invocation.Fail(text.error());
  const Captured captured = Parse(*text);
  const auto keys = ReadKeys(invocation, SchemeOf(captured));
  if (!keys) return invocation.Fail(keys.error());
  SystemTime now = RealClock().Now();
  if (const auto at = args.Value("at")) {
    const auto time = ParseTime(*at);
    if (!time) return invocation.Fail(time.error().Within("--at"));
    now = *time;
  }
  const std::vector<crypto::HeaderView> headers(captured.headers.begin(), captured.headers.end());
  const auto diagnosis = crypto::DiagnoseSignature(keys->scheme, keys->secrets, headers, captured.body, now);
  const bool valid = diagnosis.cause == crypto::SignatureCause::kNone;
  FindingPrinter printer(invocation);
  printer.Add("signature", valid ? Fine(diagnosis.what)
                                 : Problem(ErrorKind::kCredentials, diagnosis.what, diagnosis.remedy));
  if (const auto nothing = valid ? WorthNothing(captured) : std::nullopt) printer.Add("callback", *nothing);
  return printer.Finish();
}

}  // namespace tw::cli
