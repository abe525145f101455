// A text that must not be seen: wiped on destruction, never printed, compared in constant time.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tw {

// Equal? The time depends only on the length of `presented`, which its sender knows anyway.
bool ConstantTimeEqual(std::string_view presented, std::string_view secret);

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();

  bool empty() const { return text_.empty(); }
  // The only way to the text: use it, do not keep it.
  std::string_view Reveal() const { return text_; }
  bool Matches(std::string_view presented) const { return ConstantTimeEqual(presented, text_); }
  friend bool operator==(const Secret& a, const Secret& b) { return a.Matches(b.text_); }

 private:
  std::string text_;
};

inline constexpr std::string_view kHidden = "***";

}  // namespace tw
