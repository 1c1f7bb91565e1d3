// SPDX-License-Identifier: Apache-2.0
// Byte strings, hexadecimal and base64.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/result.h"

namespace lineside {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline Bytes to_bytes(std::string_view text) {
  BytesView view = as_bytes(text);
  return {view.begin(), view.end()};
}
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lower-case hexadecimal.
std::string to_hex(BytesView bytes);
// Either case; kMalformed for an odd length or another character.
Result<Bytes> from_hex(std::string_view text);

// Standard alphabet (RFC 4648 section 4), padded.
std::string to_base64(BytesView bytes);
// Standard or URL-safe alphabet, padding optional (DSSE asks verifiers to take both); kMalformed
// for anything else, including white space.
Result<Bytes> from_base64(std::string_view text);

}  // namespace lineside
