// SPDX-License-Identifier: Apache-2.0
#include "delta/suffix_array.h"

#include <divsufsort.h>
#include <divsufsort64.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <new>
#include <vector>

namespace lineside::delta {
namespace {

// Where the first 16 bits of a suffix say that it must lie: saves the first, dearest steps of the
// search.
constexpr std::size_t kBuckets = 1U << 16;

std::uint64_t common_prefix(BytesView a, BytesView b, std::uint64_t from) {
  std::uint64_t end = std::min(a.size(), b.size());
  while (from < end && a[from] == b[from]) ++from;
  return from;
}

template <class Index>
class Sorted final : public SuffixArray {
 public:
  Sorted(BytesView data, std::vector<Index> order) : data_(data), order_(std::move(order)) {
    fill_buckets();
  }

  [[nodiscard]] Match find(BytesView wanted) const override { return found(wanted).match; }

  [[nodiscard]] Matches find_near(BytesView wanted, std::uint64_t expected) const override {
    Found found = this->found(wanted);
    if (found.match.length < kLeastNear) return {found.match, {}};
    Nearness nearness(found.match, expected);
    std::uint64_t common = found.match.length;
    for (std::size_t i = 1; i <= kNeighbours && found.rank >= i; ++i) {
      if (!nearness.consider(at(found.rank - i), suffix(found.rank - i), wanted, common)) break;
    }
    common = found.match.length;
    for (std::size_t i = 1; i <= kNeighbours && found.rank + i < order_.size(); ++i) {
      if (!nearness.consider(at(found.rank + i), suffix(found.rank + i), wanted, common)) break;
    }
    return {nearness.longest, nearness.traded};
  }

 private:
  static constexpr std::size_t kNeighbours = 16;
  static constexpr std::uint64_t kLeastNear = 4;

  struct Found {
    Match match;
    std::size_t rank = 0;
  };

  // Two rankings of the suffixes around the longest match.
  struct Nearness {
    Nearness(const Match& match, std::uint64_t place)
        : longest(match), expected(place), value(worth(match)) {}

    // False once the suffixes have too little in common with what is wanted. `common` is what the
    // suffix before had.
    bool consider(std::uint64_t position, BytesView text, BytesView wanted, std::uint64_t& common) {
      std::uint64_t most = std::min<std::uint64_t>({text.size(), wanted.size(), common});
      common = common_prefix(text.first(most), wanted.first(most), 0);
      if (common < kLeastNear) return false;
      Match match{position, common};
      if (common == longest.length && distance(match) < distance(longest)) longest = match;
      if (worth(match) > value) {
        value = worth(match);
        traded = match;
      }
      return true;
    }
    [[nodiscard]] std::uint64_t distance(const Match& match) const {
      return match.position > expected ? match.position - expected : expected - match.position;
    }
    // A byte more is worth a jump that is four bits shorter.
    [[nodiscard]] std::int64_t worth(const Match& match) const {
      return 4 * static_cast<std::int64_t>(match.length) -
             static_cast<std::int64_t>(std::bit_width(distance(match)));
    }

    Match longest;
    Match traded;
    std::uint64_t expected;
    std::int64_t value;
  };

  [[nodiscard]] Found found(BytesView wanted) const {
    if (order_.empty() || wanted.empty()) return {};
    std::size_t low = 0;
    std::size_t high = order_.size() - 1;
    if (wanted.size() >= 2) {
      std::size_t bucket = static_cast<std::size_t>(wanted[0]) << 8 | wanted[1];
      std::size_t begin = buckets_[bucket];
      std::size_t end = buckets_[bucket + 1];
      if (begin < end) {
        low = begin;
        high = end - 1;
      }
    }
    return search(wanted, low, high);
  }

  // Invariant: the best match lies in [low, high]; each end shares its `*_common` first bytes with
  // `wanted`, so all between them share the smaller of the two.
  [[nodiscard]] Found search(BytesView wanted, std::size_t low, std::size_t high) const {
    std::uint64_t low_common = common_prefix(suffix(low), wanted, 0);
    std::uint64_t high_common = common_prefix(suffix(high), wanted, 0);
    while (high - low > 1) {
      std::size_t middle = low + (high - low) / 2;
      BytesView text = suffix(middle);
      std::uint64_t common = common_prefix(text, wanted, std::min(low_common, high_common));
      bool before =
          common < wanted.size() && (common == text.size() || text[common] < wanted[common]);
      (before ? low : high) = middle;
      (before ? low_common : high_common) = common;
      if (common == wanted.size()) break;
    }
    if (low_common >= high_common) return {{at(low), low_common}, low};
    return {{at(high), high_common}, high};
  }

  [[nodiscard]] std::uint64_t at(std::size_t rank) const {
    return static_cast<std::uint64_t>(order_[rank]);
  }

  [[nodiscard]] BytesView suffix(std::size_t rank) const {
    return data_.subspan(static_cast<std::size_t>(order_[rank]));
  }

  // buckets_[b] is the first rank whose suffix begins with the two bytes b or greater. The suffix
  // of one byte sorts before those of two bytes that begin alike, and belongs to none.
  void fill_buckets() {
    buckets_.assign(kBuckets + 1, 0);
    std::size_t bucket = 0;
    for (std::size_t rank = 0; rank < order_.size(); ++rank) {
      BytesView text = suffix(rank);
      std::size_t mine = static_cast<std::size_t>(text[0]) << 8 | (text.size() > 1 ? text[1] : 0);
      while (bucket <= mine) buckets_[bucket++] = rank;
    }
    while (bucket <= kBuckets) buckets_[bucket++] = order_.size();
  }

  BytesView data_;
  std::vector<Index> order_;
  std::vector<std::size_t> buckets_;
};

template <class Index, class Sort>
Result<std::unique_ptr<SuffixArray>> build_with(BytesView data, Sort sort) {
  std::vector<Index> order;
  try {
    order.resize(data.size());
  } catch (const std::bad_alloc&) {
    return Error{Code::kTooLarge, "no memory to sort " + std::to_string(data.size()) + " bytes"};
  }
  if (!data.empty() && sort(data.data(), order.data(), static_cast<Index>(data.size())) != 0) {
    return Error{Code::kTooLarge, "no memory to sort " + std::to_string(data.size()) + " bytes"};
  }
  return std::unique_ptr<SuffixArray>(std::make_unique<Sorted<Index>>(data, std::move(order)));
}

}  // namespace

Result<std::unique_ptr<SuffixArray>> SuffixArray::build(BytesView data) {
  if (data.size() < static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return build_with<saidx_t>(data, divsufsort);
  }
  return build_with<saidx64_t>(data, divsufsort64);
}

}  // namespace lineside::delta
