// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_encoder.h"

#include <algorithm>

#include "delta/varint.h"

namespace lineside::delta {
namespace {

class Writer {
 public:
  Writer(BytesView target, bool split) : target_(target), split_(split) {}

  void gap(std::uint64_t from, std::uint64_t to) {
    put_varint(streams_[kGaps], to - from);
    gap_ = to - from;
    BytesView text = target_.subspan(from, to - from);
    streams_[kLiterals].insert(streams_[kLiterals].end(), text.begin(), text.end());
  }

  // `predicted` are the bytes that the differences are added to.
  void cover(const Cover& cover, BytesView predicted) {
    put_varint(streams_[kLengths], cover.length);
    put_varint(streams_[kSeeks],
               fold(static_cast<std::int64_t>(cover.old_position - old_end_ - gap_)));
    old_end_ = cover.old_position + cover.length;
    for (std::uint64_t i = 0; i < cover.length; ++i) {
      difference(static_cast<std::uint8_t>(target_[cover.new_position + i] - predicted[i]));
    }
  }

  CoverStreams finish() {
    if (split_ && run_ > 0) put_varint(streams_[kRuns], run_);
    return std::move(streams_);
  }

 private:
  void difference(std::uint8_t value) {
    if (!split_) {
      streams_[kDifferences].push_back(value);
      return;
    }
    if ((value == 0) != in_zeros_) {
      put_varint(streams_[kRuns], run_);  // 0 if the very first value is not zero
      run_ = 0;
      in_zeros_ = value == 0;
    }
    ++run_;
    if (value != 0) streams_[kDifferences].push_back(value);
  }

  BytesView target_;
  bool split_;
  CoverStreams streams_;
  std::uint64_t gap_ = 0;  // before the next cover
  std::uint64_t old_end_ = 0;
  bool in_zeros_ = true;
  std::uint64_t run_ = 0;
};

// The part of the cover inside [begin, end), length 0 if there is none.
Cover clip(Cover cover, std::uint64_t begin, std::uint64_t end) {
  if (cover.new_position < begin) {
    std::uint64_t cut = std::min(cover.length, begin - cover.new_position);
    cover.old_position += cut;
    cover.new_position += cut;
    cover.length -= cut;
  }
  if (cover.new_position >= end) return {};
  cover.length = std::min(cover.length, end - cover.new_position);
  return cover;
}

}  // namespace

CoverStreams cover_streams(std::span<const Cover> covers, BytesView base, BytesView target,
                           std::uint64_t begin, std::uint64_t length, bool split) {
  Writer writer(target, split);
  std::uint64_t at = begin;
  std::uint64_t end = begin + length;
  for (const Cover& whole : covers) {
    Cover cover = clip(whole, begin, end);
    if (cover.length == 0) continue;
    writer.gap(at, cover.new_position);
    writer.cover(cover, base.subspan(cover.old_position, cover.length));
    at = cover.new_position + cover.length;
  }
  if (at < end) writer.gap(at, end);
  return writer.finish();
}

Result<CoverStreams> cover_streams_from(std::span<const Cover> covers, CoverSource& source,
                                        BytesView target) {
  Writer writer(target, true);
  std::uint64_t at = 0;
  Bytes predicted;
  for (const Cover& cover : covers) {
    writer.gap(at, cover.new_position);
    predicted.resize(cover.length);
    source.begin(cover);
    TRY(source.read(predicted));
    writer.cover(cover, predicted);
    at = cover.new_position + cover.length;
  }
  if (at < target.size()) writer.gap(at, target.size());
  return writer.finish();
}

}  // namespace lineside::delta
