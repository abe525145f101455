#include "config/report.h"

#include <algorithm>

namespace tw::config {

std::string Problem::Text() const {
  std::string out;
  for (const std::string* part : {&where, &key, &what}) {
    if (part->empty()) continue;
    if (!out.empty()) out += ": ";
    out += *part;
  }
  if (!hint.empty()) out += "; " + hint;
  return out;
}

void Report::Sort() {
  const auto earlier = [](const Problem& a, const Problem& b) {
    if ((a.place.line == 0) != (b.place.line == 0)) return b.place.line == 0;
    return a.place < b.place;
  };
  std::stable_sort(problems.begin(), problems.end(), earlier);
  std::stable_sort(warnings.begin(), warnings.end(), earlier);
}

}  // namespace tw::config
