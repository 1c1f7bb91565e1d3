// SPDX-License-Identifier: Apache-2.0
#include "delta/stream_windows.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "delta/codec.h"
#include "delta/mix_model.h"

namespace lineside::delta {
namespace {

// Counters for each byte of a stream, beyond which more memory gains nothing.
constexpr std::uint64_t kMixBytes = 8;

// Grants each its wish as long as that is no more than an equal share of what is left.
std::vector<std::uint64_t> grant(const std::vector<std::uint64_t>& wishes, std::uint64_t memory) {
  std::vector<std::size_t> order(wishes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wishes[a] < wishes[b]; });
  std::vector<std::uint64_t> granted(wishes.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    granted[order[i]] = std::min(wishes[order[i]], memory / (order.size() - i));
    memory -= granted[order[i]];
  }
  return granted;
}

std::uint64_t window_of(std::uint64_t bytes) {
  return std::bit_ceil(
      std::clamp<std::uint64_t>(bytes, 1ULL << kMinWindowLog, 1ULL << kMaxWindowLog));
}

// The greatest with which a window of 2^log bytes and `overhead` fit into `memory`.
unsigned window_log_for(std::uint64_t memory, std::uint64_t overhead) {
  std::uint64_t room = memory > overhead ? memory - overhead : 1;
  auto log = static_cast<unsigned>(std::bit_width(room) - 1);
  return std::clamp(log, kMinWindowLog, kMaxWindowLog);
}

unsigned mix_log_for(std::uint64_t memory) {
  unsigned log = kMaxWindowLog;
  while (log >= kMinWindowLog && MixModel::memory(log) > memory) --log;
  return log < kMinWindowLog ? 0 : log;
}

}  // namespace

std::vector<StreamWindow> share_memory(std::span<const std::uint64_t> stream_bytes,
                                       std::uint64_t memory, std::uint64_t overhead) {
  std::vector<std::uint64_t> wishes;
  std::vector<std::uint64_t> mix_wishes;
  for (std::uint64_t bytes : stream_bytes) {
    std::uint64_t wish = bytes == 0 ? 0 : window_of(bytes) + overhead;
    wishes.push_back(wish);
    std::uint64_t counters = window_of(bytes * kMixBytes);
    std::uint64_t mix = MixModel::memory(static_cast<unsigned>(std::bit_width(counters) - 1));
    mix_wishes.push_back(bytes == 0 || mix < wish ? 0 : mix - wish);
  }
  std::vector<std::uint64_t> first = grant(wishes, memory);
  std::uint64_t left = memory - std::accumulate(first.begin(), first.end(), std::uint64_t{0});
  std::vector<std::uint64_t> more = grant(mix_wishes, left);
  std::vector<StreamWindow> windows;
  for (std::size_t i = 0; i < first.size(); ++i) {
    windows.push_back({window_log_for(first[i], overhead), mix_log_for(first[i] + more[i])});
  }
  return windows;
}

}  // namespace lineside::delta
