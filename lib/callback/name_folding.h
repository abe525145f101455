// Names as they are compared when somebody might decide their own request under another spelling.
#pragma once

#include <string>
#include <string_view>

namespace tw::callback {

// The name without what tells spellings of one name apart: case, width, style, ligatures, composed or
// separate accents, blanks, characters that show nothing, and our own "webhooks:" in front. Folds by
// Unicode's compatibility forms for Latin, Greek, Cyrillic and Armenian, ASCII in every width; other scripts
// are compared as they are. Equal names are equal after it; it may also make names equal that are not.
std::string FoldName(std::string_view name);

// The table behind it: words of a character and what it becomes, separated by blanks.
extern const std::string_view kFoldings;

}  // namespace tw::callback
