// Result<T>: a value or an Error. `return value;` and `return Error{...};` both work; ignoring one is a
// warning.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace tw {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result() = default;
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
};

using Status = Result<void>;

}  // namespace tw
