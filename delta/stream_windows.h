// SPDX-License-Identifier: Apache-2.0
// How the memory that applying may take is shared out among the decoders of a segment, all of which
// work at once. README.md, "Streams".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lineside::delta {

struct StreamWindow {
  unsigned window_log = 0;  // of zstd and LZMA, at most
  unsigned mix_log = 0;     // of the mixing coder's counters, at most; 0: it would not fit
};

// One for each stream. Small streams get what they can use, the others equal shares of the rest.
// `overhead` is what a decoder takes beside its window.
std::vector<StreamWindow> share_memory(std::span<const std::uint64_t> stream_bytes,
                                       std::uint64_t memory, std::uint64_t overhead);

}  // namespace lineside::delta
