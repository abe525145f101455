// Changes to a text that are collected first and applied at once, by places of the text as it was.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"

namespace tw::config {

class TextEdit {
 public:
  explicit TextEdit(std::string_view text);

  void Replace(Place begin, Place end, std::string replacement);
  // The lines become comments, under a comment that says `why`. Replacements inside them are dropped.
  void CommentOut(int first, int last, std::string_view why);
  void InsertAfterLine(int line, std::string text);
  std::string_view Line(int line) const;  // without its end
  char At(Place place) const;             // NUL behind the end
  int lines() const { return static_cast<int>(starts_.size()); }
  bool empty() const { return replacements_.empty() && comments_.empty() && insertions_.empty(); }

  // `hidden`: what became a comment shows its keys only.
  std::string Apply(bool hidden = false) const;

 private:
  struct Replacement {
    std::size_t begin;
    std::size_t end;
    std::string text;
  };

  std::size_t Offset(Place place) const;
  std::string EditedLine(int line) const;
  std::string CommentedLine(int line, bool hidden) const;

  std::string_view text_;
  std::vector<std::size_t> starts_;  // of each line
  std::vector<Replacement> replacements_;
  std::map<int, std::string> comments_;  // line -> why, empty: goes on
  std::map<int, std::string> insertions_;
};

}  // namespace tw::config
