// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/pep503.h"

#include <algorithm>

#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

constexpr bool is_joint(char c) {
  return c == '-' || c == '_' || c == '.';
}

}  // namespace

std::string normalize_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (!is_joint(c)) {
      out += lower(c);
    } else if (out.empty() || out.back() != '-') {
      out += '-';
    }
  }
  return out;
}

bool valid_name(std::string_view name) {
  return !name.empty() && is_alnum(name.front()) && is_alnum(name.back()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || is_joint(c); });
}

}  // namespace lineside::runtime
