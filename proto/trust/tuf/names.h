// SPDX-License-Identifier: Apache-2.0
// Names from metadata become parts of URLs and of file paths here, and nowhere else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/result.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::trust::tuf {

// RFC 3986: everything but letters, digits, "-._~" and the bytes in `also_safe` becomes %XX.
std::string percent_encode(std::string_view text, std::string_view also_safe = "");

// kMalformed for a "%" without two hexadecimal digits.
Result<std::string> percent_decode(std::string_view text);
// A relative path without empty, "." or ".." parts and without NUL, else kMalformed.
Result<void> check_parts(std::string_view path);

// One file name for any role or target name, "a/b" -> "a%2Fb": no "/" is left, so that it stays in
// its folder; ".", ".." and "" get an escape of their own. Different names, different files.
std::string file_name(std::string_view name);
// "%2E%2E%2Fx.json": where a role's bytes are kept, and asked for with "VERSION." before it.
std::string role_file(std::string_view role);

// "dir/HASH.name" with consistent snapshots, else the target's name. kUnsupported if no known hash.
Result<std::string> served_name(const TargetInfo& target, bool consistent_snapshot);
// The same as a path for a Fetcher, percent-encoded. kMalformed for a name that leaves the folder
// or has an empty part.
Result<std::string> served_path(const TargetInfo& target, bool consistent_snapshot);

}  // namespace lineside::trust::tuf
