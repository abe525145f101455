// The HTTP that proxies speak before the real protocol: heads of answers, NO_PROXY lists, proxy URLs and the
// body of /webapi/find. First line: a proxy URL; second: NO_PROXY; the rest is an answer.
#include "fuzz.h"
#include "teleport/http_text.h"
#include "teleport/proxy_facts.h"
#include "teleport/route.h"

namespace {

using namespace tw;
using namespace tw::teleport;

void CheckHead(std::string_view text) {
  const auto head = ParseHttpHead(text);
  if (!head) {
    FUZZ_CHECK(head.error().kind == ErrorKind::kUnreachable && fuzz::WellWorded(head.error()));
    return;
  }
  FUZZ_CHECK(head->status >= 100 && head->status <= 999);
  for (const auto& [name, value] : head->fields) {
    FUZZ_CHECK(name == AsciiLower(name) && name.find('\n') == std::string::npos &&
               name.find(':') == std::string::npos);
    FUZZ_CHECK(value.find('\n') == std::string::npos && Trim(value) == value);
    FUZZ_CHECK(head->Get(name) == value);
  }
}

void CheckProxy(std::string_view url, std::string_view list) {
  const Address target{"teleport.example.com", 443};
  const auto choose = [&](const std::string& https_proxy) {
    return ChooseProxy({}, target, [&](const char* name) {
      const std::string_view which(name);
      return which == "https_proxy" ? https_proxy : which == "no_proxy" ? std::string(list) : std::string();
    });
  };
  const auto marked = choose(fuzz::WithCanary(url));
  FUZZ_CHECK(marked || !fuzz::TellsCanary(marked.error()));
  const auto proxy = choose(std::string(url));
  if (!proxy) {
    FUZZ_CHECK(proxy.error().kind == ErrorKind::kConfig && fuzz::WellWorded(proxy.error()));
    return;
  }
  FUZZ_CHECK(!*proxy || !NoProxyCovers(list, target));
  if (!*proxy) return;
  const std::string request = ConnectRequest(target, (*proxy)->url);
  FUZZ_CHECK(request.starts_with("CONNECT teleport.example.com:443 HTTP/1.1\r\n") &&
             request.ends_with("\r\n\r\n"));
  FUZZ_CHECK(request.find(kEndOfHead) == request.size() - kEndOfHead.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::AsText(data, size);
  CheckHead(rest);
  ParseProxyFacts(rest);
  const std::string_view url = fuzz::TakeLine(rest);
  const std::string_view list = fuzz::TakeLine(rest);
  CheckProxy(url, list);
  CheckHead(rest);
  if (const auto facts = ParseProxyFacts(rest)) FUZZ_CHECK(fuzz::Harmless(ProxyProtocol(facts->cluster)));
  return 0;
}
