// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_search.h"

#include <optional>

#include "delta/codec.h"
#include "delta/cover_encoder.h"
#include "delta/cover_parse.h"
#include "delta/suffix_array.h"

namespace lineside::delta {
namespace {

Error cancelled() {
  return {Code::kCancelled, "making the delivery was stopped"};
}

// A quick guess at what the covers will cost, to choose among several searches.
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

// How readily the parse changes its alignment. What suits code suits most; text likes fewer covers.
std::vector<ParseCosts> cost_sets(int effort) {
  if (effort < 3) return {ParseCosts()};
  ParseCosts few;
  few.cover = 400;
  ParseCosts many;
  many.cover = 160;
  return {ParseCosts(), few, many};
}

}  // namespace

Result<std::vector<Cover>> search_covers(BytesView base, BytesView target, int effort,
                                         std::stop_token stop) {
  if (stop.stop_requested()) return cancelled();
  TRY_ASSIGN(auto sorted, SuffixArray::build(base));  // the one step that cannot be stopped
  std::vector<Cover> best;
  std::optional<std::uint64_t> best_cost;
  std::vector<ParseCosts> sets = cost_sets(effort);
  for (const ParseCosts& costs : sets) {
    std::vector<Cover> covers = parse_covers(*sorted, base, target, costs, stop);
    if (stop.stop_requested()) return cancelled();
    if (sets.size() == 1) return covers;
    TRY_ASSIGN(std::uint64_t cost, estimate(covers, base, target, stop));
    if (best_cost && cost >= *best_cost) continue;
    best_cost = cost;
    best = std::move(covers);
  }
  return best;
}

}  // namespace lineside::delta
