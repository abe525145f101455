// application/x-www-form-urlencoded (WHATWG URL standard): blanks as +, bytes as %XX. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace tw::webhook {

// Appends name=value, with an & in front unless `out` is empty.
void AppendFormField(std::string& out, std::string_view name, std::string_view value);

}  // namespace tw::webhook
