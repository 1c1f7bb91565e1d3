// SPDX-License-Identifier: Apache-2.0
// From covers to the streams that cover_decoder.h reads.
#pragma once

#include <array>
#include <span>

#include "delta/cover_source.h"
#include "delta/covers.h"
#include "delta/format.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// Those of the methods without prediction leave the last ones empty.
using CoverStreams = std::array<Bytes, kPredictedStreams>;

// The streams of target[begin, begin + length). `covers` as find_covers gives them for the whole
// target; those that cross the borders of the segment are cut there.
CoverStreams cover_streams(std::span<const Cover> covers, BytesView base, BytesView target,
                           std::uint64_t begin, std::uint64_t length, bool split);

// The same for a whole target, the bytes of the covers coming from `source`, differences split.
Result<CoverStreams> cover_streams_from(std::span<const Cover> covers, CoverSource& source,
                                        BytesView target);

}  // namespace lineside::delta
