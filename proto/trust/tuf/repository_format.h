// SPDX-License-Identifier: Apache-2.0
// What a repository writer signs. Private to this folder's .cc files.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/trust/tuf/metadata.h"

namespace lineside::trust::tuf {

// The members that every role has, canonical order left to the writer.
nlohmann::json new_signed(std::string_view type, std::int64_t version, UtcTime expires);

// Each of them has to take what is signed.
using Roots = std::vector<const Root*>;

// {"signatures":[…],"signed":…} as JSON, signed by those of `keys` that one of `roots`
// names for `role`. kBadSignature if they do not reach the threshold of each and `complete` asks
// for that.
Result<Bytes> sign_role(const nlohmann::json& content, const Roots& roots, std::string_view role,
                        const std::vector<const PrivateKey*>& keys, bool complete = true);

// {"hashes":{"sha256":…},"length":…}, with "version" for files of metadata.
nlohmann::json facts_of(BytesView bytes);
nlohmann::json meta_of(BytesView bytes, std::int64_t version);

}  // namespace lineside::trust::tuf
