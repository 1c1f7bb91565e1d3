// SPDX-License-Identifier: Apache-2.0
// Covers chosen by what they will cost once they are coded.
//
// A shortest path over the new buffer. At each byte a path is either in a gap, where a byte costs
// what its predecessor makes likely, or on an alignment, where a byte costs nothing if old and new
// agree. To enter an alignment costs more the further the old position jumps. Alignments are
// proposed by the longest matches in the old buffer; a proposed one is followed back over the bytes
// before it, too.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "delta/covers.h"
#include "delta/suffix_array.h"
#include "proto/base/bytes.h"

namespace lineside::delta {

// In sixteenths of a bit, as the streams cost on the average after compression.
struct ParseCosts {
  std::uint64_t first_change = 160;  // of a run of changed bytes in a cover
  std::uint64_t next_change = 110;
  std::uint64_t cover = 240;    // its gap and length
  std::uint64_t jump_bit = 24;  // for each bit of the jump
  std::uint64_t jump_most = 460;
  std::uint64_t literal = 11;  // sixteenths of what the byte before makes likely
};

// As find_covers, see covers.h.
std::vector<Cover> parse_covers(const SuffixArray& sorted_old, BytesView old_data,
                                BytesView new_data, const ParseCosts& costs,
                                std::stop_token stop = {});

}  // namespace lineside::delta
