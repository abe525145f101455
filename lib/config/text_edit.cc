#include "config/text_edit.h"

#include <algorithm>

namespace tw::config {

TextEdit::TextEdit(std::string_view text) : text_(text) {
  starts_.push_back(0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && i + 1 < text.size()) starts_.push_back(i + 1);
  }
}

std::size_t TextEdit::Offset(Place place) const {
  if (place.line < 1 || place.line > lines()) return text_.size();
  std::size_t at = starts_[static_cast<std::size_t>(place.line - 1)];
  for (int column = 1; column < place.column && at < text_.size(); ++column) {
    ++at;
    while (at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xc0U) == 0x80) ++at;
  }
  return at;
}

std::string_view TextEdit::Line(int line) const {
  const std::size_t begin = Offset({line, 1});
  return text_.substr(begin, text_.find('\n', begin) - begin);
}

char TextEdit::At(Place place) const {
  const std::size_t offset = Offset(place);
  return offset < text_.size() ? text_[offset] : '\0';
}

void TextEdit::Replace(Place begin, Place end, std::string replacement) {
  replacements_.push_back({Offset(begin), Offset(end), std::move(replacement)});
}

void TextEdit::CommentOut(int first, int last, std::string_view why) {
  for (int line = first; line <= last; ++line) comments_.try_emplace(line, line == first ? why : "");
}

void TextEdit::InsertAfterLine(int line, std::string text) {
  insertions_[line] += text;
}

// A replacement that runs over several lines belongs to its first; the lines that it covers vanish.
std::string TextEdit::EditedLine(int line) const {
  const std::size_t begin = starts_[static_cast<std::size_t>(line - 1)];
  const std::size_t end = line < lines() ? starts_[static_cast<std::size_t>(line)] : text_.size();
  std::vector<const Replacement*> here;
  std::size_t at = begin;
  for (const Replacement& replacement : replacements_) {
    if (replacement.begin < begin && replacement.end > begin)
      at = std::max(at, std::min(replacement.end, end));
    if (replacement.begin >= begin && replacement.begin < end) here.push_back(&replacement);
  }
  std::sort(here.begin(), here.end(), [](const auto* a, const auto* b) { return a->begin < b->begin; });
  std::string out;
  for (const Replacement* replacement : here) {
    out += text_.substr(at, replacement->begin - at);
    out += replacement->text;
    at = std::min(replacement->end, end);
  }
  return out.append(text_.substr(at, end - at));
}

std::string TextEdit::CommentedLine(int line, bool hidden) const {
  const std::size_t begin = starts_[static_cast<std::size_t>(line - 1)];
  const std::size_t end = line < lines() ? starts_[static_cast<std::size_t>(line)] : text_.size();
  const std::string_view whole = text_.substr(begin, end - begin);
  const auto equals = whole.find('=');
  if (!hidden || whole.starts_with('[') || whole.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return std::string(whole);
  return std::string(equals == std::string_view::npos ? "" : whole.substr(0, equals + 1)) + " ***\n";
}

std::string TextEdit::Apply(bool hidden) const {
  std::string out;
  for (int line = 1; line <= lines(); ++line) {
    if (const auto comment = comments_.find(line); comment != comments_.end()) {
      if (!comment->second.empty()) out += "# " + comment->second + "\n";
      out += "# " + CommentedLine(line, hidden);
    } else {
      out += EditedLine(line);
    }
    if (const auto insertion = insertions_.find(line); insertion != insertions_.end()) {
      if (!out.ends_with('\n')) out += '\n';
      out += insertion->second;
    }
  }
  return out;
}

}  // namespace tw::config
