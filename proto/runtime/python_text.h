// SPDX-License-Identifier: Apache-2.0
// What Python's str.strip() and the \s of its regular expressions take for white space. Versions
// and requirements are text made for Python tools, so this is the rule that they agree on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lineside::runtime {

// The length in bytes of the white space character (UTF-8) that `text` begins with; 0 if none.
std::size_t leading_space(std::string_view text);

// `text` without white space at both ends. A view into `text`.
std::string_view trim_space(std::string_view text);

// ASCII only, whatever the locale.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}
std::string lowered(std::string_view text);

}  // namespace lineside::runtime
