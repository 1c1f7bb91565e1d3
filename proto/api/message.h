// SPDX-License-Identifier: Apache-2.0
// How the JSON messages of the API are read, by whichever side defines them. Include it in .cc
// files alone: it brings the JSON library.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"

namespace lineside::api {

inline constexpr std::int64_t kMaxAmount = trust::kMaxInteger;

// Bytes, counts: 0 to 2^53 - 1.
inline std::uint64_t amount(trust::Fields& fields, std::string_view name) {
  return static_cast<std::uint64_t>(fields.integer(name, 0, kMaxAmount));
}

inline std::uint32_t small_amount(trust::Fields& fields, std::string_view name,
                                  std::int64_t most = 0xffffffff) {
  return static_cast<std::uint32_t>(fields.integer(name, 0, most));
}

// Parses `body`, at most `max_bytes`, and has `read` fill the value from its fields; unknown
// members are ignored, so that versions can meet. kMalformed naming the member.
template <class Value, class Read>
Result<Value> parse_message(BytesView body, const char* name, std::uint64_t max_bytes, Read read) {
  trust::JsonLimits limits;
  limits.max_bytes = max_bytes;
  TRY_ASSIGN(nlohmann::json document, trust::parse_json(body, name, limits));
  trust::Fields fields(document, name, trust::UnknownMembers::kAllowed);
  Value value;
  TRY(read(fields, value));
  TRY(fields.finish());
  return value;
}

}  // namespace lineside::api
