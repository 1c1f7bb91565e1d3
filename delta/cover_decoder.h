// SPDX-License-Identifier: Apache-2.0
// The six streams of a segment made of covers, read side by side. README.md, "Covers".
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "delta/codec.h"
#include "delta/format.h"
#include "proto/base/result.h"

namespace lineside::delta {

class BaseBytes;

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

// State: in a gap (literals), in a cover (base plus differences), or between the two.
class CoverDecoder {
 public:
  static Result<CoverDecoder> open(const InputFile& delivery, const Segment& segment, bool split,
                                   std::uint64_t base_length, std::uint64_t length,
                                   BaseBytes& base);

  // Writes at least one byte, if any are left, to the front of `out`; returns how many.
  Result<std::size_t> step(std::span<std::uint8_t> out);
  [[nodiscard]] std::uint64_t left() const { return left_; }

 private:
  struct Streams {
    NumberDecoder gaps, lengths, seeks, runs;
    std::unique_ptr<StreamDecoder> differences, literals;
  };
  CoverDecoder(Streams streams, bool split, std::uint64_t base_length, std::uint64_t length,
               BaseBytes& base);

  Result<void> next_gap();
  Result<void> next_cover();
  Result<void> add_differences(std::span<std::uint8_t> out);
  Result<void> add_values(std::span<std::uint8_t> out);

  Streams streams_;
  bool split_;
  std::uint64_t base_length_;
  std::uint64_t left_;
  BaseBytes* base_;
  Bytes values_;

  bool cover_follows_ = false;  // a gap was read, its cover was not
  std::uint64_t gap_ = 0;       // literals left of the gap
  std::uint64_t cover_ = 0;     // bytes left of the cover
  std::uint64_t position_ = 0;  // in the base: the cover's next byte, or where the last one ended
  bool began_ = false;          // a run was read
  bool in_zeros_ = false;       // kRuns gives zeros first
  std::uint64_t run_ = 0;       // left of the run of zeros or of values
};

}  // namespace lineside::delta
