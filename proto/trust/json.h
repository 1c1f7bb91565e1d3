// SPDX-License-Identifier: Apache-2.0
// JSON as it travels between parties that do not trust each other.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::trust {

struct JsonLimits {
  std::uint64_t max_bytes = 8ULL << 20;
  unsigned max_depth = 32;
};

// One JSON value. Refuses, as kMalformed naming `name` and the byte position: what is not UTF-8, a
// key twice in one object, a number with a fraction or exponent, an integer outside int64, text
// after the value (white space is allowed). kTooLarge past the limits.
Result<nlohmann::json> parse_json(BytesView text, std::string_view name,
                                  const JsonLimits& limits = {});

// The form that is signed and hashed: OLPC canonical JSON as TUF uses it (specification 1.0.34,
// section 4.2). No white space, members sorted by the bytes of their keys, only '\' and '"'
// escaped. kMalformed for a number that is not an integer. Unknown members are part of it, so
// canonicalise the parsed tree, never a struct.
Result<Bytes> canonical_json(const nlohmann::json& value);

}  // namespace lineside::trust
