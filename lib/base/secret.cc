#include "base/secret.h"

#include <cstring>

namespace tw {

bool ConstantTimeEqual(std::string_view presented, std::string_view secret) {
  volatile unsigned difference = presented.size() == secret.size() ? 0U : 1U;
  const std::string_view against = secret.empty() ? std::string_view("\xff", 1) : secret;
  for (std::size_t i = 0; i < presented.size(); ++i) {
    const auto a = static_cast<unsigned char>(presented[i]);
    const auto b = static_cast<unsigned char>(against[i % against.size()]);
    difference = difference | static_cast<unsigned>(a ^ b);
  }
  return difference == 0;
}

Secret::Secret(Secret&& other) noexcept : text_(other.text_) {
  explicit_bzero(other.text_.data(), other.text_.size());
  other.text_.clear();
}

Secret& Secret::operator=(Secret other) noexcept {
  text_.swap(other.text_);
  return *this;
}

Secret::~Secret() {
  explicit_bzero(text_.data(), text_.size());
}

}  // namespace tw
