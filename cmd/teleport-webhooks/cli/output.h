// Where data goes: standard output, written and flushed line by line, with a broken pipe told apart from a
// full disk.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tw::cli {

// Not thread-safe.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  // Writes all of it at once. When the reader has gone, closed() turns true and kCancelled is returned.
  Status Write(std::string_view text);
  Status Line(std::string_view text);
  bool closed() const { return closed_; }
  bool terminal() const;

 private:
  int fd_;
  bool closed_ = false;
};

enum class Format { kText, kJson, kNdjson };

// Escape sequences for a terminal, or nothing.
class Palette {
 public:
  explicit Palette(bool on) : on_(on) {}
  std::string Red(std::string_view text) const { return Paint("31", text); }
  std::string Green(std::string_view text) const { return Paint("32", text); }
  std::string Yellow(std::string_view text) const { return Paint("33", text); }
  std::string Cyan(std::string_view text) const { return Paint("36", text); }
  std::string Dim(std::string_view text) const { return Paint("2", text); }

 private:
  std::string Paint(std::string_view code, std::string_view text) const;
  bool on_;
};

// `when`: auto, always or never. NO_COLOR and TERM=dumb turn "auto" off.
bool WantColor(std::string_view when, int fd);

}  // namespace tw::cli
