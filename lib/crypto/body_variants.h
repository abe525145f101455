// What a changed body may have been when it was signed: the slips of editors, proxies and frameworks that
// parse JSON and write it again, undone one at a time. Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tw::crypto {

struct BodyVariant {
  std::string body;
  std::string_view what;  // what was done to `body` on the way: "a newline was added at its end"
};

// Likely ones first; none is `body` itself.
std::vector<BodyVariant> BodyVariants(std::string_view body);

}  // namespace tw::crypto
