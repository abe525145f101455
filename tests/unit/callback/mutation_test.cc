#include <algorithm>
#include <map>
#include <random>

#include "unit/callback/handler_harness.h"

namespace tw::callback {
namespace {

using access::RequestState;

// 100,000 in all, in parts that can run beside each other.
constexpr unsigned kParts = 8;
constexpr int kMutations = 12'500;

// A signed callback and everything that is sent with it.
class MutationTest : public HandlerTest, public testing::WithParamInterface<unsigned> {
 protected:
  void SetUp() override {
    HandlerTest::SetUp();
    OnlySignatures();
    original = Request("POST", "/", LegacyBody("req-1", "Approved"));
    original.headers = Signed("msg_original", original.body);
  }

  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  }

  void MutateText(std::string& text) {
    switch (text.empty() ? 1 : Below(5)) {
      case 0:
        text[Below(text.size())] ^= static_cast<char>(1U << Below(8));
        break;
      case 1:
        text.insert(Below(text.size() + 1), 1, static_cast<char>(Below(256)));
        break;
      case 2:
        text.erase(Below(text.size()), 1 + Below(3));
        break;
      case 3:
        std::swap(text[Below(text.size())], text[Below(text.size())]);
        break;
      default:
        text += text.substr(Below(text.size()));
    }
  }

  void MutateHead(HttpRequest& request) {
    std::pair<std::string, std::string>& header = request.headers[Below(request.headers.size())];
    switch (Below(4)) {
      case 0:
        MutateText(header.first);
        break;
      case 1:
        MutateText(header.second);
        break;
      case 2:
        request.headers.erase(request.headers.begin() +
                              static_cast<std::ptrdiff_t>(Below(request.headers.size())));
        break;
      default:
        request.headers.push_back(request.headers[Below(request.headers.size())]);
    }
  }

  // Does a change leave the meaning alone? Order, blanks around a value, the case of names and other fields
  // are no part of it, nor are further entries beside the genuine one in the list of signatures.
  bool SameMeaning(const HttpRequest& request) const {
    return request.body == original.body && Meaning(request) == Meaning(original);
  }
  std::multimap<std::string, std::string> Meaning(const HttpRequest& request) const {
    const std::string& genuine = original.headers.back().second;
    std::multimap<std::string, std::string> out;
    for (const auto& [name, value] : request.headers) {
      const std::string lower = AsciiLower(name);
      if (!lower.starts_with("webhook-")) continue;
      const auto entries = Split(value, ' ');
      const bool listed =
          lower == "webhook-signature" && std::find(entries.begin(), entries.end(), genuine) != entries.end();
      const bool ours = lower == "webhook-id" || lower == "webhook-timestamp" || lower == "webhook-signature";
      if (ours) out.emplace(lower, listed ? genuine : std::string(Trim(value)));
    }
    return out;
  }

  std::mt19937 random{20'261'122 + GetParam()};
  HttpRequest original;
};

INSTANTIATE_TEST_SUITE_P(Parts, MutationTest, testing::Range(0U, kParts));

TEST_P(MutationTest, NoMutatedCallbackIsAccepted) {
  int sent = 0;
  while (sent < kMutations) {
    HttpRequest request = original;
    const std::size_t changes = 1 + Below(3);
    for (std::size_t i = 0; i < changes; ++i) {
      if (Below(2) == 0)
        MutateText(request.body);
      else
        MutateHead(request);
    }
    if (SameMeaning(request)) continue;
    ++sent;
    const int status = Send(request).status;
    ASSERT_EQ(status, 401) << request.body << " after " << sent;
  }
  EXPECT_EQ(StateOf("req-1"), RequestState::kPending);
  EXPECT_EQ(teleport.calls("Get"), 0);
  EXPECT_EQ(Send(original).status, 200);  // the one that all of them were made from
}

}  // namespace
}  // namespace tw::callback
