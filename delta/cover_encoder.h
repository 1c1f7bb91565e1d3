// SPDX-License-Identifier: Apache-2.0
// From covers to the six streams that cover_decoder.h reads.
#pragma once

#include <array>
#include <span>

#include "delta/covers.h"
#include "delta/format.h"
#include "proto/base/bytes.h"

namespace lineside::delta {

using CoverStreams = std::array<Bytes, kCoverStreams>;

// The streams of target[begin, begin + length). `covers` as find_covers gives them for the whole
// target; those that cross the borders of the segment are cut there.
CoverStreams cover_streams(std::span<const Cover> covers, BytesView base, BytesView target,
                           std::uint64_t begin, std::uint64_t length, bool split);

}  // namespace lineside::delta
