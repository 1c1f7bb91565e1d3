// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_parse.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace lineside::delta {
namespace {

constexpr std::uint64_t kNever = 1ULL << 62;
constexpr std::uint32_t kNoNode = 0xffffffff;
constexpr std::size_t kAlignments = 24;   // followed at once
constexpr std::size_t kMemory = 256;      // bytes that a proposed alignment is followed back
constexpr std::uint64_t kSureRun = 32;    // an agreement as long as this ends all doubt
constexpr std::uint64_t kLeastMatch = 4;  // worth proposing
constexpr std::size_t kMostNodes = 1U << 20;

// 16 log2(value), linear between powers of two.
std::uint64_t log2_16(std::uint64_t value) {
  unsigned log = static_cast<unsigned>(std::bit_width(value) - 1);
  std::uint64_t rest = value - (1ULL << log);
  return 16 * std::uint64_t{log} + (log >= 4 ? rest >> (log - 4) : rest << (4 - log));
}

// What a literal byte costs behind the byte before it.
class LiteralCosts {
 public:
  LiteralCosts(BytesView text, std::uint64_t share) : costs_(65536) {
    std::vector<std::uint32_t> counts(65536);
    std::array<std::uint64_t, 256> sums{};
    for (std::size_t i = 1; i < text.size(); ++i) {
      ++counts[std::size_t{text[i - 1]} << 8 | text[i]];
      ++sums[text[i - 1]];
    }
    for (std::size_t pair = 0; pair < costs_.size(); ++pair) {
      std::uint64_t bits = log2_16(sums[pair >> 8] + 256) - log2_16(counts[pair] + 1);
      costs_[pair] =
          static_cast<std::uint16_t>(std::clamp<std::uint64_t>(bits * share / 16, 16, 8 * 16));
    }
  }
  [[nodiscard]] std::uint64_t of(std::uint8_t before, std::uint8_t byte) const {
    return costs_[std::size_t{before} << 8 | byte];
  }

 private:
  std::vector<std::uint16_t> costs_;
};

class Parser {
 public:
  Parser(const SuffixArray& sorted, BytesView old_data, BytesView new_data, const ParseCosts& costs)
      : sorted_(sorted),
        old_(old_data),
        new_(new_data),
        costs_(costs),
        literals_(new_data, costs.literal) {}

  std::vector<Cover> run(const std::stop_token& stop) {
    while (at_ < new_.size()) {
      if ((at_ & 4095) == 0 && stop.stop_requested()) return {};
      Origin origin = best();
      if (jump(origin)) continue;
      history_[at_ % kMemory] = origin;
      if (at_ >= next_search_) propose(origin);
      advance(origin);
    }
    Origin last = best();
    emit(last.node, last.end);
    return std::move(covers_);
  }

 private:
  // A cover that some path holds.
  struct Node {
    std::uint64_t parent_end = 0;  // where the cover before it ends
    std::uint64_t begin = 0;
    std::int64_t shift = 0;  // old position - new position
    std::uint32_t parent = kNoNode;
  };
  // The cheapest path to a position: its last cover, and where that ends.
  struct Origin {
    std::uint64_t cost = 0;
    std::uint64_t end = 0;
    std::int64_t shift = 0;
    std::uint32_t node = kNoNode;
    std::int32_t alignment = -1;  // the one it is on; -1: in a gap
  };
  struct Alignment {
    std::int64_t shift = 0;
    std::uint64_t cost = kNever;
    std::uint64_t proposed = 0;
    std::uint32_t node = kNoNode;
    bool changed = false;  // the byte before differs
  };

  [[nodiscard]] Origin best() const {
    Origin origin = gap_;
    for (std::size_t i = 0; i < alignments_.size(); ++i) {
      const Alignment& alignment = alignments_[i];
      if (alignment.cost > origin.cost) continue;
      if (alignment.cost == origin.cost && origin.alignment >= 0) continue;
      origin = {alignment.cost, at_, alignment.shift, alignment.node, static_cast<std::int32_t>(i)};
    }
    return origin;
  }

  [[nodiscard]] bool inside(std::uint64_t position, std::int64_t shift) const {
    return position + static_cast<std::uint64_t>(shift) < old_.size();
  }
  [[nodiscard]] bool agrees(std::uint64_t position, std::int64_t shift) const {
    std::uint64_t old_position = position + static_cast<std::uint64_t>(shift);
    return old_position < old_.size() && old_[old_position] == new_[position];
  }
  [[nodiscard]] std::uint64_t agreement(std::uint64_t position, std::int64_t shift) const {
    std::uint64_t old_position = position + static_cast<std::uint64_t>(shift);
    if (old_position >= old_.size()) return 0;
    std::uint64_t most = std::min(new_.size() - position, old_.size() - old_position);
    const std::uint8_t* a = &new_[position];
    const std::uint8_t* b = &old_[old_position];
    std::uint64_t count = 0;
    while (count + 8 <= most && std::memcmp(a + count, b + count, 8) == 0) count += 8;
    while (count < most && a[count] == b[count]) ++count;
    return count;
  }

  [[nodiscard]] std::uint64_t entry_cost(const Origin& origin, std::uint64_t position,
                                         std::int64_t shift) const {
    std::int64_t jump = shift - origin.shift;
    std::uint64_t distance = static_cast<std::uint64_t>(jump < 0 ? -jump : jump);
    std::uint64_t bits = distance == 0 ? 0 : log2_16(distance + 1);
    std::uint64_t seek = std::min(costs_.jump_most, 16 + bits * costs_.jump_bit / 16);
    std::uint64_t gap = position == origin.end ? 0 : 32 + log2_16(position - origin.end) / 2;
    return origin.cost + costs_.cover + seek + gap;
  }

  std::uint32_t add_node(const Origin& origin, std::uint64_t begin, std::int64_t shift) {
    nodes_.push_back({origin.end, begin, shift, origin.node});
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  // The byte at `position`, on an alignment.
  void step(Alignment& alignment, std::uint64_t position) const {
    if (alignment.cost >= kNever) return;
    if (!inside(position, alignment.shift)) {
      alignment.cost = kNever;
    } else if (agrees(position, alignment.shift)) {
      alignment.changed = false;
    } else {
      alignment.cost += alignment.changed ? costs_.next_change : costs_.first_change;
      alignment.changed = true;
    }
  }

  // Over a long agreement of the best path, where nothing else is worth a look.
  bool jump(const Origin& origin) {
    if (origin.alignment < 0) return false;
    std::uint64_t run = agreement(at_, origin.shift);
    if (run < kSureRun) return false;
    bool full = nodes_.size() > kMostNodes;
    for (std::size_t i = 0; i < alignments_.size(); ++i) {
      Alignment& alignment = alignments_[i];
      if (i == static_cast<std::size_t>(origin.alignment)) {
        alignment.changed = false;
        continue;
      }
      bool alike = alignment.cost < kNever && agreement(at_, alignment.shift) >= run;
      if (!alike || full) alignment.cost = kNever;
    }
    at_ += run;
    gap_ = {origin.cost + 1, at_, origin.shift, origin.node, -1};
    if (full) settle(alignments_[static_cast<std::size_t>(origin.alignment)]);
    history_begin_ = at_;
    next_search_ = at_;
    return true;
  }

  // All paths but the one on this alignment are given up.
  void settle(Alignment& alignment) {
    Node last = nodes_[alignment.node];
    emit(last.parent, last.parent_end);
    nodes_.clear();
    last.parent = kNoNode;
    nodes_.push_back(last);
    alignment.node = 0;
    gap_.node = 0;
  }

  void advance(const Origin& origin) {
    for (Alignment& alignment : alignments_) {
      if (agrees(at_, alignment.shift)) {
        std::uint64_t entry = entry_cost(origin, at_, alignment.shift);
        if (entry < alignment.cost) {
          alignment.cost = entry;
          alignment.node = add_node(origin, at_, alignment.shift);
          alignment.changed = false;
        }
      }
      step(alignment, at_);
    }
    if (origin.alignment >= 0) gap_ = {origin.cost, at_, origin.shift, origin.node, -1};
    gap_.cost += literals_.of(at_ > 0 ? new_[at_ - 1] : 0, new_[at_]);
    ++at_;
  }

  void propose(const Origin& origin) {
    std::uint64_t expected = at_ + static_cast<std::uint64_t>(origin.shift);
    SuffixArray::Matches matches = sorted_.find_near(new_.subspan(at_), expected);
    next_search_ = at_ + std::max<std::uint64_t>(1, matches.longest.length / 2);
    if (matches.longest.length >= kLeastMatch) follow(matches.longest);
    if (matches.nearest.length >= kLeastMatch) follow(matches.nearest);
  }

  void follow(const Match& match) {
    auto shift = static_cast<std::int64_t>(match.position - at_);
    auto same = std::find_if(alignments_.begin(), alignments_.end(),
                             [shift](const Alignment& a) { return a.shift == shift; });
    if (same != alignments_.end()) {
      same->proposed = at_;
      return;
    }
    Alignment alignment;
    alignment.shift = shift;
    alignment.proposed = at_;
    std::uint64_t from = at_ > kMemory - 1 ? at_ - (kMemory - 1) : 0;
    Origin entered;
    std::uint64_t begin = 0;
    for (std::uint64_t p = std::max(from, history_begin_); p < at_; ++p) {
      const Origin& origin = history_[p % kMemory];
      if (agrees(p, shift)) {
        std::uint64_t entry = entry_cost(origin, p, shift);
        if (entry < alignment.cost) {
          alignment.cost = entry;
          alignment.changed = false;
          entered = origin;
          begin = p;
        }
      }
      step(alignment, p);
    }
    if (alignment.cost < kNever) alignment.node = add_node(entered, begin, shift);
    if (alignments_.size() < kAlignments) {
      alignments_.push_back(alignment);
      return;
    }
    auto oldest = std::min_element(
        alignments_.begin(), alignments_.end(),
        [](const Alignment& a, const Alignment& b) { return a.proposed < b.proposed; });
    *oldest = alignment;
  }

  // The cover `node`, which ends at `end`, and all before it.
  void emit(std::uint32_t node, std::uint64_t end) {
    std::size_t first = covers_.size();
    while (node != kNoNode) {
      const Node& cover = nodes_[node];
      if (end > cover.begin) {
        covers_.push_back({cover.begin + static_cast<std::uint64_t>(cover.shift), cover.begin,
                           end - cover.begin});
      }
      end = cover.parent_end;
      node = cover.parent;
    }
    std::reverse(covers_.begin() + static_cast<std::ptrdiff_t>(first), covers_.end());
  }

  const SuffixArray& sorted_;
  BytesView old_;
  BytesView new_;
  ParseCosts costs_;
  LiteralCosts literals_;
  std::vector<Cover> covers_;
  std::vector<Node> nodes_;
  std::vector<Alignment> alignments_;
  std::array<Origin, kMemory> history_{};
  Origin gap_;
  std::uint64_t at_ = 0;
  std::uint64_t history_begin_ = 0;
  std::uint64_t next_search_ = 0;
};

}  // namespace

std::vector<Cover> parse_covers(const SuffixArray& sorted_old, BytesView old_data,
                                BytesView new_data, const ParseCosts& costs, std::stop_token stop) {
  return Parser(sorted_old, old_data, new_data, costs).run(stop);
}

}  // namespace lineside::delta
