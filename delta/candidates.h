// SPDX-License-Identifier: Apache-2.0
// The smallest of several ways to make one buffer from another.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "delta/codec.h"
#include "delta/format.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

struct CandidateOptions {
  int effort = 2;
  bool lzma = true;
  bool mix = true;                                 // LZMA must be allowed too
  std::uint64_t apply_memory_bytes = 16ULL << 20;  // for decoders and prefix
  std::uint64_t segment_bytes = 64ULL << 20;       // a multiple of kWindowBytes
};

// A unit without its numbers, and its streams in the order of the file; offsets count from 0.
struct CodedUnit {
  Unit unit;
  Bytes body;
};

// Tries plain compression, compression behind the base, and covers at several thresholds, as far as
// effort and memory allow; decodes the smallest and compares it with `target`. `target` is not
// empty. The same result for the same input. kCancelled; kInternal if the decoder disagrees.
Result<CodedUnit> best_code(BytesView base, BytesView target, const CandidateOptions& options,
                            std::stop_token stop);

}  // namespace lineside::delta
