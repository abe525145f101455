// JSON strings as Go's encoder wrote them in 2021 (encoding/json of Go 1.16 with HTML escaping on), byte for
// byte: receivers of the legacy body may compare or sign its bytes. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace tw::webhook {

// Appends `text` with its quotes.
void AppendGoString(std::string& out, std::string_view text);

}  // namespace tw::webhook
