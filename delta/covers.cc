// SPDX-License-Identifier: Apache-2.0
#include "delta/covers.h"

#include <algorithm>
#include <cstddef>

namespace lineside::delta {
namespace {

class Finder {
 public:
  Finder(const SuffixArray& sorted_old, BytesView old_data, BytesView new_data, unsigned threshold)
      : sorted_(sorted_old), old_(old_data), new_(new_data), threshold_(threshold) {}

  std::vector<Cover> run(std::stop_token stop) {
    while (scan_ < new_.size() && !stop.stop_requested()) {
      std::uint64_t agreeing = next_match();
      if (match_.length != agreeing || scan_ == new_.size()) end_alignment();
    }
    return std::move(covers_);
  }

 private:
  // Whether the present alignment predicts new_[position].
  [[nodiscard]] bool agrees(std::uint64_t position) const {
    std::uint64_t old_position = position + shift_;  // wraps below zero: then it is huge
    return old_position < old_.size() && old_[old_position] == new_[position];
  }

  // Moves scan_ to the next match that is either what the present alignment gives anyway or better
  // than it; returns how many bytes of that match the alignment predicts.
  std::uint64_t next_match() {
    std::uint64_t agreeing = 0;
    scan_ += match_.length;
    std::uint64_t counted = scan_;
    match_ = {};
    for (; scan_ < new_.size(); ++scan_) {
      match_ = sorted_.find(new_.subspan(scan_));
      for (; counted < scan_ + match_.length; ++counted) agreeing += agrees(counted) ? 1 : 0;
      if (match_.length == agreeing && match_.length != 0) return agreeing;
      if (match_.length > agreeing + threshold_) return agreeing;
      if (agrees(scan_)) --agreeing;
    }
    match_ = {};
    return agreeing;
  }

  // The alignment in force ends somewhere before scan_, the one of match_ begins there.
  void end_alignment() {
    std::uint64_t forward = extend_forward();
    std::uint64_t backward = scan_ < new_.size() ? extend_backward() : 0;
    if (begin_ + forward > scan_ - backward) share_overlap(forward, backward);
    if (forward > 0) covers_.push_back({old_begin_, begin_, forward});
    begin_ = scan_ - backward;
    old_begin_ = match_.position - backward;
    shift_ = match_.position - scan_;
  }

  // The length at which the present alignment has the most agreeing over disagreeing bytes.
  [[nodiscard]] std::uint64_t extend_forward() const {
    std::int64_t score = 0;
    std::int64_t best = 0;
    std::uint64_t length = 0;
    std::uint64_t end = std::min(scan_ - begin_, old_.size() - old_begin_);
    for (std::uint64_t i = 0; i < end; ++i) {
      score += old_[old_begin_ + i] == new_[begin_ + i] ? 1 : -1;
      if (score > best) {
        best = score;
        length = i + 1;
      }
    }
    return length;
  }
  [[nodiscard]] std::uint64_t extend_backward() const {
    std::int64_t score = 0;
    std::int64_t best = 0;
    std::uint64_t length = 0;
    std::uint64_t end = std::min(scan_ - begin_, match_.position);
    for (std::uint64_t i = 1; i <= end; ++i) {
      score += old_[match_.position - i] == new_[scan_ - i] ? 1 : -1;
      if (score > best) {
        best = score;
        length = i;
      }
    }
    return length;
  }

  // Both extensions claim some bytes: cut where the sum of what agrees is greatest.
  void share_overlap(std::uint64_t& forward, std::uint64_t& backward) const {
    std::uint64_t overlap = begin_ + forward - (scan_ - backward);
    std::uint64_t first_new = begin_ + forward - overlap;
    std::uint64_t first_old = old_begin_ + forward - overlap;
    std::uint64_t first_match = match_.position - backward;
    std::int64_t score = 0;
    std::int64_t best = 0;
    std::uint64_t cut = 0;
    for (std::uint64_t i = 0; i < overlap; ++i) {
      std::uint8_t byte = new_[first_new + i];
      score += old_[first_old + i] == byte ? 1 : 0;
      score -= old_[first_match + i] == byte ? 1 : 0;
      if (score > best) {
        best = score;
        cut = i + 1;
      }
    }
    forward = forward - overlap + cut;
    backward -= cut;
  }

  const SuffixArray& sorted_;
  BytesView old_;
  BytesView new_;
  unsigned threshold_;

  // The alignment in force holds from begin_ on: new_[p] is predicted by old_[p + shift_].
  std::uint64_t begin_ = 0;
  std::uint64_t old_begin_ = 0;
  std::uint64_t shift_ = 0;
  std::uint64_t scan_ = 0;
  Match match_;
  std::vector<Cover> covers_;
};

}  // namespace

std::vector<Cover> find_covers(const SuffixArray& sorted_old, BytesView old_data,
                               BytesView new_data, unsigned threshold, std::stop_token stop) {
  return Finder(sorted_old, old_data, new_data, threshold).run(stop);
}

}  // namespace lineside::delta
