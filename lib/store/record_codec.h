// The stored form of a KnownRequest: compact bytes that keep everything, also text that is not UTF-8 and
// times below the millisecond, so that a record read back compares equal to what Teleport sends again.
#pragma once

#include <string>
#include <string_view>

#include "access/request_book.h"
#include "base/result.h"

namespace tw::store {

std::string EncodeRecord(const access::KnownRequest& record);
// Fields that later versions append are ignored; missing ones keep their defaults. Error: kFailure for
// damage.
Result<access::KnownRequest> DecodeRecord(std::string_view bytes);

}  // namespace tw::store
