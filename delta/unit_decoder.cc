// SPDX-License-Identifier: Apache-2.0
#include "delta/unit_decoder.h"

#include <algorithm>
#include <string>

#include "delta/cover_decoder.h"
#include "delta/reference/predicted_decoder.h"

namespace lineside::delta {
namespace {

constexpr std::size_t kStepBytes = 64U << 10;

std::uint64_t first_eight(const Digest& digest) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{digest.bytes[i]} << (8 * i);
  return value;
}

// Stands before the sink and checks each window as soon as it is complete.
class WindowCheck {
 public:
  WindowCheck(const Unit& unit, const Sink& sink) : unit_(unit), sink_(sink) {}

  Result<void> take(BytesView data) {
    if (unit_.windows.empty()) return sink_(data);
    while (!data.empty()) {
      std::uint64_t end = std::min(unit_.length, (done_ / kWindowBytes + 1) * kWindowBytes);
      BytesView part = data.first(std::min<std::uint64_t>(data.size(), end - done_));
      hash_.update(part);
      TRY(sink_(part));
      done_ += part.size();
      data = data.subspan(part.size());
      if (done_ == end) TRY(end_window());
    }
    return ok();
  }

 private:
  Result<void> end_window() {
    std::uint64_t number = (done_ - 1) / kWindowBytes;
    if (first_eight(hash_.finish()) != unit_.windows[number]) {
      return Error{Code::kMismatch, "window " + std::to_string(number) + " has another hash"};
    }
    hash_ = Sha256();
    return ok();
  }

  const Unit& unit_;
  const Sink& sink_;
  Sha256 hash_;
  std::uint64_t done_ = 0;
};

Result<void> decode_stream(const InputFile& delivery, const Segment& segment, std::uint64_t length,
                           BytesView prefix, WindowCheck& out) {
  if (segment.streams[0].raw_length != length) {
    return Error{Code::kMalformed, "a stream has another length than its segment"};
  }
  TRY_ASSIGN(auto decoder,
             StreamDecoder::open(delivery, segment.offset, segment.streams[0], prefix));
  Bytes step(std::min<std::uint64_t>(kStepBytes, length));
  while (decoder->left() > 0) {
    std::span<std::uint8_t> part =
        std::span(step).first(std::min<std::uint64_t>(step.size(), decoder->left()));
    TRY(decoder->read(part));
    TRY(out.take(part));
  }
  return ok();
}

Result<void> decode_covers(const Unit& unit, const InputFile& delivery, const Segment& segment,
                           std::uint64_t length, BaseBytes& base, WindowCheck& out) {
  PlainSource plain(base);
  std::unique_ptr<CoverSource> predicted;
  if (unit.method == Method::kPredicted) {
    TRY_ASSIGN(predicted, open_predicted(delivery, segment, unit.base_length, length, base));
  }
  CoverSource& source = predicted ? *predicted : static_cast<CoverSource&>(plain);
  TRY_ASSIGN(auto decoder, CoverDecoder::open(delivery, segment, unit.method != Method::kCovers,
                                              unit.base_length, length, source));
  Bytes step(std::min<std::uint64_t>(kStepBytes, length));
  while (decoder.left() > 0) {
    std::span<std::uint8_t> part =
        std::span(step).first(std::min<std::uint64_t>(step.size(), decoder.left()));
    TRY_ASSIGN(std::size_t count, decoder.step(part));
    TRY(out.take(part.first(count)));
  }
  return ok();
}

}  // namespace

Result<void> decode_unit(const Unit& unit, const InputFile& delivery, BaseBytes& base,
                         const Sink& sink) {
  WindowCheck out(unit, sink);
  Bytes prefix;
  if (unit.method == Method::kPrefix) {
    prefix.resize(unit.base_length);
    TRY(base.read(0, prefix));
  }
  std::uint64_t left = unit.length;
  for (const Segment& segment : unit.segments) {
    std::uint64_t length = std::min(left, unit.segment_length);
    if (stream_count(unit.method) == 1) {
      TRY(decode_stream(delivery, segment, length, prefix, out));
    } else {
      TRY(decode_covers(unit, delivery, segment, length, base, out));
    }
    left -= length;
  }
  return ok();
}

}  // namespace lineside::delta
