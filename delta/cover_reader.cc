// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_reader.h"

#include <algorithm>
#include <string>

#include "delta/varint.h"

namespace lineside::delta {
namespace {

Error malformed(std::string_view what, std::string_view why) {
  return {Code::kMalformed, "covers: " + std::string(what) + " " + std::string(why)};
}

}  // namespace

Result<std::uint64_t> NumberDecoder::next(std::string_view what, std::uint64_t max) {
  VarintDecoder number;
  for (;;) {
    if (begin_ == end_) {
      end_ = std::min<std::uint64_t>(buffer_.size(), stream_->left());
      begin_ = 0;
      if (end_ == 0) return malformed(what, "is missing");
      TRY(stream_->read(std::span(buffer_).first(end_)));
    }
    VarintDecoder::State state = number.feed(buffer_[begin_++]);
    if (state == VarintDecoder::State::kBad) return malformed(what, "is no number");
    if (state == VarintDecoder::State::kMore) continue;
    if (number.value() > max) return malformed(what, "is above " + std::to_string(max));
    return number.value();
  }
}

Result<std::unique_ptr<StreamDecoder>> open_stream(const InputFile& delivery,
                                                   const Segment& segment, std::size_t stream) {
  std::uint64_t offset = segment.offset;
  for (std::size_t i = 0; i < stream; ++i) offset += segment.streams[i].coded_length;
  return StreamDecoder::open(delivery, offset, segment.streams[stream]);
}

Result<CoverReader> CoverReader::open(const InputFile& delivery, const Segment& segment,
                                      std::uint64_t base_length, std::uint64_t length) {
  TRY_ASSIGN(auto gaps, open_stream(delivery, segment, kGaps));
  TRY_ASSIGN(auto lengths, open_stream(delivery, segment, kLengths));
  TRY_ASSIGN(auto seeks, open_stream(delivery, segment, kSeeks));
  return CoverReader(NumberDecoder(std::move(gaps)), NumberDecoder(std::move(lengths)),
                     NumberDecoder(std::move(seeks)), base_length, length);
}

Result<CoverReader::Step> CoverReader::next() {
  Step step;
  TRY_ASSIGN(step.gap, gaps_.next("gap", left_));
  left_ -= step.gap;
  if (left_ == 0) return step;
  Cover& cover = step.cover;
  TRY_ASSIGN(cover.length, lengths_.next("length", left_));
  TRY_ASSIGN(std::uint64_t seek, seeks_.next("seek", 2 * kMaxUnitBytes));
  if (cover.length == 0) return malformed("length", "is zero");
  std::int64_t position = static_cast<std::int64_t>(old_end_ + step.gap) + unfold(seek);
  if (position < 0 || static_cast<std::uint64_t>(position) > base_length_ ||
      cover.length > base_length_ - static_cast<std::uint64_t>(position)) {
    return malformed("cover", "lies outside of the base");
  }
  cover.old_position = static_cast<std::uint64_t>(position);
  cover.new_position = length_ - left_;
  old_end_ = cover.old_position + cover.length;
  left_ -= cover.length;
  return step;
}

}  // namespace lineside::delta
