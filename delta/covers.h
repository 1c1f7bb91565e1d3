// SPDX-License-Identifier: Apache-2.0
// Which parts of a new buffer are nearly equal to which parts of an old one.
//
// The method is bsdiff's (Percival, "Naive differences of executable code", 2003): exact matches
// from a suffix array mark where the alignment changes, and each is then extended forwards and
// backwards as long as more than half of the bytes agree.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "delta/suffix_array.h"
#include "proto/base/bytes.h"

namespace lineside::delta {

// new[new_position, +length) resembles old[old_position, +length).
struct Cover {
  std::uint64_t old_position = 0;
  std::uint64_t new_position = 0;
  std::uint64_t length = 0;
  bool operator==(const Cover&) const = default;
};

// Sorted by new_position, not overlapping there, no length 0, inside both buffers. A match that
// beats the present alignment by more than `threshold` bytes changes it: 8 suits code, 16 to 40
// text. What was found so far if `stop` asks for it.
std::vector<Cover> find_covers(const SuffixArray& sorted_old, BytesView old_data,
                               BytesView new_data, unsigned threshold, std::stop_token stop = {});

}  // namespace lineside::delta
