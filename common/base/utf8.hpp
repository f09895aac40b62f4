#pragma once
// Whether octets are text. Pure.

#include <string_view>

namespace lepton::text {

// RFC 3629: no overlong forms, no surrogates.
bool is_utf8(std::string_view s);

}  // namespace lepton::text
