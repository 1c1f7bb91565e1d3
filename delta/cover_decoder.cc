// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_decoder.h"

#include <algorithm>
#include <string>

#include "delta/unit_decoder.h"
#include "delta/varint.h"

namespace lineside::delta {
namespace {

constexpr std::size_t kValueBytes = 4096;

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

Result<CoverDecoder> CoverDecoder::open(const InputFile& delivery, const Segment& segment,
                                        bool split, std::uint64_t base_length, std::uint64_t length,
                                        BaseBytes& base) {
  std::array<std::unique_ptr<StreamDecoder>, kCoverStreams> decoders;
  std::uint64_t offset = segment.offset;
  for (std::size_t i = 0; i < kCoverStreams; ++i) {
    TRY_ASSIGN(decoders[i], StreamDecoder::open(delivery, offset, segment.streams[i]));
    offset += segment.streams[i].coded_length;
  }
  Streams streams{
      NumberDecoder(std::move(decoders[kGaps])),  NumberDecoder(std::move(decoders[kLengths])),
      NumberDecoder(std::move(decoders[kSeeks])), NumberDecoder(std::move(decoders[kRuns])),
      std::move(decoders[kDifferences]),          std::move(decoders[kLiterals])};
  return CoverDecoder(std::move(streams), split, base_length, length, base);
}

CoverDecoder::CoverDecoder(Streams streams, bool split, std::uint64_t base_length,
                           std::uint64_t length, BaseBytes& base)
    : streams_(std::move(streams)),
      split_(split),
      base_length_(base_length),
      left_(length),
      base_(&base),
      values_(kValueBytes) {}

Result<std::size_t> CoverDecoder::step(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size() && left_ > 0) {
    if (gap_ == 0 && cover_ == 0) {
      if (cover_follows_) {
        TRY(next_cover());
      } else {
        TRY(next_gap());
      }
      continue;
    }
    std::uint64_t& source = gap_ > 0 ? gap_ : cover_;
    std::size_t count = std::min<std::uint64_t>(out.size() - done, source);
    std::span<std::uint8_t> part = out.subspan(done, count);
    if (gap_ > 0) {
      TRY(streams_.literals->read(part));
    } else {
      TRY(base_->read(position_, part));
      TRY(add_differences(part));
      position_ += count;
    }
    source -= count;
    left_ -= count;
    done += count;
  }
  return done;
}

Result<void> CoverDecoder::next_gap() {
  TRY_ASSIGN(gap_, streams_.gaps.next("gap", left_));
  cover_follows_ = true;
  return ok();
}

Result<void> CoverDecoder::next_cover() {
  cover_follows_ = false;
  TRY_ASSIGN(cover_, streams_.lengths.next("length", left_));
  TRY_ASSIGN(std::uint64_t seek, streams_.seeks.next("seek", 2 * kMaxUnitBytes));
  if (cover_ == 0) return malformed("length", "is zero");
  std::int64_t position = static_cast<std::int64_t>(position_) + unfold(seek);
  if (position < 0 || static_cast<std::uint64_t>(position) > base_length_ ||
      cover_ > base_length_ - static_cast<std::uint64_t>(position)) {
    return malformed("cover", "lies outside of the base");
  }
  position_ = static_cast<std::uint64_t>(position);
  return ok();
}

Result<void> CoverDecoder::add_differences(std::span<std::uint8_t> out) {
  if (!split_) return add_values(out);
  while (!out.empty()) {
    if (run_ == 0) {
      // Only the first run may be empty, so that each number read makes at least one byte.
      bool first = !began_;
      began_ = true;
      in_zeros_ = !in_zeros_;
      TRY_ASSIGN(run_, streams_.runs.next("run", kMaxUnitBytes));
      if (run_ == 0 && !first) return malformed("run", "is empty");
      continue;
    }
    std::size_t count = std::min<std::uint64_t>(out.size(), run_);
    if (!in_zeros_) TRY(add_values(out.first(count)));
    run_ -= count;
    out = out.subspan(count);
  }
  return ok();
}

Result<void> CoverDecoder::add_values(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    std::span<std::uint8_t> part = std::span(values_).first(std::min(out.size(), values_.size()));
    TRY(streams_.differences->read(part));
    for (std::size_t i = 0; i < part.size(); ++i)
      out[i] = static_cast<std::uint8_t>(out[i] + part[i]);
    out = out.subspan(part.size());
  }
  return ok();
}

}  // namespace lineside::delta
