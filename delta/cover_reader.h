// SPDX-License-Identifier: Apache-2.0
// The numbers of a segment made of covers: gaps, lengths and seeks. README.md, "Covers".
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "delta/codec.h"
#include "delta/covers.h"
#include "delta/format.h"
#include "proto/base/result.h"

namespace lineside::delta {

// Numbers out of a stream.
class NumberDecoder {
 public:
  explicit NumberDecoder(std::unique_ptr<StreamDecoder> stream) : stream_(std::move(stream)) {}
  // kMalformed at the end of the stream, for another form or above `max`.
  Result<std::uint64_t> next(std::string_view what, std::uint64_t max);

 private:
  std::unique_ptr<StreamDecoder> stream_;
  std::array<std::uint8_t, 512> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Opens one of the streams of a segment.
Result<std::unique_ptr<StreamDecoder>> open_stream(const InputFile& delivery,
                                                   const Segment& segment, std::size_t stream);

class CoverReader {
 public:
  static Result<CoverReader> open(const InputFile& delivery, const Segment& segment,
                                  std::uint64_t base_length, std::uint64_t length);

  struct Step {
    std::uint64_t gap = 0;  // literals before the cover
    Cover cover;            // length 0: the segment ends with the gap; positions in the segment
  };
  // To be called until nothing is left. kMalformed for a step outside of base or segment.
  Result<Step> next();
  // Bytes of the segment behind the steps read so far.
  [[nodiscard]] std::uint64_t left() const { return left_; }

 private:
  CoverReader(NumberDecoder gaps, NumberDecoder lengths, NumberDecoder seeks,
              std::uint64_t base_length, std::uint64_t length)
      : gaps_(std::move(gaps)),
        lengths_(std::move(lengths)),
        seeks_(std::move(seeks)),
        base_length_(base_length),
        length_(length),
        left_(length) {}

  NumberDecoder gaps_, lengths_, seeks_;
  std::uint64_t base_length_;
  std::uint64_t length_;
  std::uint64_t left_;
  std::uint64_t old_end_ = 0;  // of the cover before, in the base
};

}  // namespace lineside::delta
