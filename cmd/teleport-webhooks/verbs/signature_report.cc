#include "verbs/signature_report.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "crypto/signature_diagnosis.h"
#include "wiring/settings.h"

namespace tw::cli {
namespace {

constexpr std::size_t kLargest = 1U << 20U;

struct Captured {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (path != "-" && !file) return Error::Failure(fmt::format("cannot read {}", EscapeControls(path)));
  if (text.size() > kLargest) return Error::Usage("the captured request is larger than 1 MiB");
  return text;
}

// Headers (a request line before them is passed over), an empty line, the body as it is.
Captured Parse(const std::string& text) {
  Captured captured;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string_view line = Trim(std::string_view(text).substr(at, end - at));
    at = std::min(end + 1, text.size());
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.substr(0, colon).find(' ') != std::string_view::npos)
      continue;
    captured.headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
  }
  captured.body = text.substr(at);
  return captured;
}

struct Keys {
  crypto::WebhookScheme scheme = crypto::WebhookScheme::kStandard;
  std::vector<Secret> secrets;
};

Result<Keys> ReadKeys(const Invocation& invocation) {
  Keys keys;
  if (const auto path = invocation.args().Value("secret-file")) {
    const auto text = ReadFile(*path);
    if (!text) return text.error();
    keys.secrets.emplace_back(std::string(Trim(*text)));
    return keys;
  }
  const auto settings = wiring::LoadSettings(invocation, config::Purpose::kSend);
  if (!settings) return settings.error();
  if (settings->callback.signature == config::SignatureScheme::kGithub)
    keys.scheme = crypto::WebhookScheme::kGithub;
  if (!settings->callback.secret.empty()) keys.secrets.push_back(settings->callback.secret);
  for (const auto& caller : settings->callback.callers) {
    if (!caller.hmac_secret.empty()) keys.secrets.push_back(caller.hmac_secret);
  }
  for (const auto& endpoint : settings->endpoints)
    keys.secrets.insert(keys.secrets.end(), endpoint.secrets.begin(), endpoint.secrets.end());
  if (keys.secrets.empty())
    return Error::Config("the configuration holds no secret", "name one with --secret-file");
  return keys;
}

}  // namespace

int ReportSignature(Invocation& invocation) {
  const Arguments& args = invocation.args();
  const auto text = ReadFile(*args.Value("signature"));
  if (!text) return invocation.Fail(text.error());
  auto keys = ReadKeys(invocation);
  if (!keys) return invocation.Fail(keys.error());
  SystemTime now = RealClock().Now();
  if (const auto at = args.Value("at")) {
    const auto time = ParseTime(*at);
    if (!time) return invocation.Fail(time.error().Within("--at"));
    now = *time;
  }
  const Captured captured = Parse(*text);
  std::vector<crypto::HeaderView> headers;
  bool github = false;
  for (const auto& [name, value] : captured.headers) {
    headers.emplace_back(name, value);
    github = github || AsciiLower(name) == AsciiLower(crypto::kGithubSignatureHeader);
  }
  if (github) keys->scheme = crypto::WebhookScheme::kGithub;
  const auto diagnosis = crypto::DiagnoseSignature(keys->scheme, keys->secrets, headers, captured.body, now);
  const bool valid = diagnosis.cause == crypto::SignatureCause::kNone;
  const Palette palette(invocation.color());
  const std::string mark = valid ? palette.Green("✓") : palette.Red("✗");
  const Status told = invocation.out().Line(
      fmt::format("{} {}{}", mark, EscapeControls(diagnosis.what),
                  diagnosis.remedy.empty() ? "" : ": " + EscapeControls(diagnosis.remedy)));
  if (!told && !invocation.out().closed()) return invocation.Fail(told.error());
  return valid ? 0 : ExitCode(ErrorKind::kCredentials);
}

}  // namespace tw::cli
