// SPDX-License-Identifier: Apache-2.0
// The leaves of a file (merkle.h) as bytes: 32 for each, in order, nothing between or after them.
// So they stand beside a delivery on disk (ROOT.leaves) and answer GET /v1/leaves/ROOT.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::trust {

inline constexpr std::uint64_t kDigestBytes = 32;

// How many leaves a file of `length` bytes has.
std::uint64_t leaf_count(std::uint64_t length);

Bytes serialise_leaves(std::span<const Digest> leaves);
// kMalformed if the bytes are not whole leaves.
Result<std::vector<Digest>> parse_leaves(BytesView bytes);
// kMismatch unless they are the leaves of the file with this length and root.
Result<void> verify_leaves(std::span<const Digest> leaves, std::uint64_t length,
                           const Digest& root);

}  // namespace lineside::trust
