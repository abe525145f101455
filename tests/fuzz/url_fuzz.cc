// URLs and addresses: what is printed parses to the same place, secrets stay out of what is shown, and
// libcurl, which gets the text in the end, sees the same host and port as our checks did.
#include <curl/curl.h>

#include <memory>

#include "base/url.h"
#include "fuzz.h"

namespace {

using namespace tw;

std::string CurlPart(CURLU* handle, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(handle, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

void CheckCurlAgrees(const Url& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle(curl_url(), curl_url_cleanup);
  // What curl refuses goes nowhere; what it takes must go where we said.
  if (curl_url_set(handle.get(), CURLUPART_URL, url.WithoutUserInfo().c_str(), 0) != CURLUE_OK) return;
  std::string host = CurlPart(handle.get(), CURLUPART_HOST);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  // curl shortens IPv6, so those are compared as addresses.
  const auto ours =
      ParseAddress(url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]", 1);
  FUZZ_CHECK(ours);
  FUZZ_CHECK(url.host.find(':') != std::string::npos ? host.find(':') != std::string::npos
                                                     : AsciiLower(host) == url.host);
  FUZZ_CHECK(IsLoopbackHost(host) == IsLoopbackHost(url.host));
  FUZZ_CHECK(CurlPart(handle.get(), CURLUPART_PORT) == std::to_string(url.port));
  FUZZ_CHECK(CurlPart(handle.get(), CURLUPART_SCHEME) == url.scheme);
  FUZZ_CHECK(CurlPart(handle.get(), CURLUPART_USER).empty());
}

void CheckUrl(std::string_view text) {
  const auto url = ParseUrl(text);
  if (!url) {
    FUZZ_CHECK(fuzz::WellWorded(url.error()));
    return;
  }
  FUZZ_CHECK(url->port != 0 && url->target.starts_with('/') && !url->host.empty());
  const std::string shown = url->Redacted();
  FUZZ_CHECK(fuzz::Harmless(shown) && shown.starts_with(url->Origin()));
  FUZZ_CHECK(shown == url->Origin() + (url->target == "/" ? "/" : "/***"));
  const auto origin = ParseUrl(url->Origin());
  FUZZ_CHECK(origin && origin->scheme == url->scheme && origin->host == url->host &&
             origin->port == url->port);
  FUZZ_CHECK(origin->user.empty() && origin->password.empty() && origin->target == "/");
  const auto again = ParseUrl(url->WithoutUserInfo());
  FUZZ_CHECK(again && again->host == url->host && again->port == url->port && again->target == url->target);
  FUZZ_CHECK(again->user.empty() && again->password.empty() && again->explicit_port == url->explicit_port);
  CheckCurlAgrees(*url);
}

// What is refused is not repeated: it may be a password or a secret path.
void CheckSecrecy(std::string_view text) {
  const auto url = ParseUrl(fuzz::WithCanary(text));
  FUZZ_CHECK(url || !fuzz::TellsCanary(url.error()));
  // What follows the @ is repeated, and the fuzzer may have found the canary by itself.
  const auto address = ParseAddress(std::string(fuzz::kCanary) + "@" + std::string(text));
  FUZZ_CHECK(address || fuzz::HoldsCanary(text) || !fuzz::TellsCanary(address.error()));
}

void CheckAddress(std::string_view text) {
  const auto address = ParseAddress(text);
  if (!address) {
    FUZZ_CHECK(fuzz::WellWorded(address.error()));
    return;
  }
  FUZZ_CHECK(fuzz::Harmless(address->Text()));
  const auto again = ParseAddress(address->Text());
  FUZZ_CHECK(again && again->host == address->host && again->port == address->port);
  IsLoopbackHost(address->host);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::AsText(data, size);
  CheckUrl(text);
  CheckAddress(text);
  CheckSecrecy(text);
  FUZZ_CHECK(PercentDecode(text).size() <= size);
  return 0;
}
