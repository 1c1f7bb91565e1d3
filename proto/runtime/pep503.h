// SPDX-License-Identifier: Apache-2.0
// Names of distributions: "Typing_Extensions", "typing.extensions" and "typing-extensions" are one.
#pragma once

#include <string>
#include <string_view>

namespace lineside::runtime {

// Lower case, each run of '-', '_' and '.' one '-' (PEP 503, "Normalized Names").
std::string normalize_name(std::string_view name);

// Letters, digits, '-', '_' and '.', the first and last a letter or digit (PEP 508, "Names").
bool valid_name(std::string_view name);

}  // namespace lineside::runtime
