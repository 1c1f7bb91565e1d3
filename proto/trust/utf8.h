// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstdint>
#include <string_view>

namespace lineside::trust {

// Takes the first character off `text`, which must not be empty. False, with `text` somewhere in
// between, if there is none.
bool take_code_point(std::string_view& text, std::uint32_t& point);
// Bytes of the first character; 0 if there is no valid one.
std::size_t utf8_length(std::string_view text);

}  // namespace lineside::trust
