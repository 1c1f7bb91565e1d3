// SPDX-License-Identifier: Apache-2.0
// A document with one thing changed, for tests of what is refused.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "proto/base/bytes.h"

namespace lineside::trust {

// `pointer` as in RFC 6901; a null value removes the member.
inline Bytes edited(const Bytes& document, const std::string& pointer, nlohmann::json value) {
  nlohmann::json tree = nlohmann::json::parse(as_text(document));
  nlohmann::json::json_pointer at(pointer);
  if (value.is_null()) {
    tree.at(at.parent_pointer()).erase(at.back());
  } else {
    tree[at] = std::move(value);
  }
  return to_bytes(tree.dump());
}

}  // namespace lineside::trust
