// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_search.h"

#include <optional>

#include "delta/codec.h"
#include "delta/cover_encoder.h"
#include "delta/suffix_array.h"

namespace lineside::delta {
namespace {

Error cancelled() {
  return {Code::kCancelled, "making the delivery was stopped"};
}

// A quick guess at what the covers will cost, to choose among thresholds.
Result<std::uint64_t> estimate(std::span<const Cover> covers, BytesView base, BytesView target,
                               std::stop_token stop) {
  CoverStreams streams = cover_streams(covers, base, target, 0, target.size(), true);
  EncodeOptions quick;
  quick.lzma = false;
  quick.effort = 1;
  quick.window_log = 22;
  quick.stop = std::move(stop);
  std::uint64_t sum = 0;
  for (const Bytes& stream : std::span(streams).first(kCoverStreams)) {
    TRY_ASSIGN(CodedStream coded, encode_zstd(stream, quick));
    sum += coded.data.size();
  }
  return sum;
}

std::vector<unsigned> thresholds(int effort) {
  if (effort < 2) return {8};
  return {8, 16, 24, 40};
}

}  // namespace

Result<std::vector<Cover>> search_covers(BytesView base, BytesView target, int effort,
                                         std::stop_token stop) {
  if (stop.stop_requested()) return cancelled();
  TRY_ASSIGN(auto sorted, SuffixArray::build(base));  // the one step that cannot be stopped
  std::vector<Cover> best;
  std::optional<std::uint64_t> best_cost;
  for (unsigned threshold : thresholds(effort)) {
    std::vector<Cover> covers = find_covers(*sorted, base, target, threshold, stop);
    if (stop.stop_requested()) return cancelled();
    TRY_ASSIGN(std::uint64_t cost, estimate(covers, base, target, stop));
    if (best_cost && cost >= *best_cost) continue;
    best_cost = cost;
    best = std::move(covers);
  }
  return best;
}

}  // namespace lineside::delta
