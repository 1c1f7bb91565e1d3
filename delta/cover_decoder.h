// SPDX-License-Identifier: Apache-2.0
// The streams of a segment made of covers, read side by side. README.md, "Covers".
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "delta/cover_reader.h"
#include "delta/cover_source.h"
#include "delta/format.h"
#include "proto/base/result.h"

namespace lineside::delta {

// State: in a gap (literals), in a cover (base plus differences), or between the two.
class CoverDecoder {
 public:
  // Differences are runs and values if `split`. `source` must outlive the decoder.
  static Result<CoverDecoder> open(const InputFile& delivery, const Segment& segment, bool split,
                                   std::uint64_t base_length, std::uint64_t length,
                                   CoverSource& source);

  // Writes at least one byte, if any are left, to the front of `out`; returns how many.
  Result<std::size_t> step(std::span<std::uint8_t> out);
  [[nodiscard]] std::uint64_t left() const { return left_; }

 private:
  struct Streams {
    CoverReader covers;
    NumberDecoder runs;
    std::unique_ptr<StreamDecoder> differences, literals;
  };
  CoverDecoder(Streams streams, bool split, std::uint64_t length, CoverSource& source);

  Result<void> add_differences(std::span<std::uint8_t> out);
  Result<void> add_values(std::span<std::uint8_t> out);

  Streams streams_;
  bool split_;
  std::uint64_t left_;
  CoverSource* source_;
  Bytes values_;

  std::uint64_t gap_ = 0;    // literals left of the gap
  Cover next_;               // begins after the gap; length 0: none
  std::uint64_t cover_ = 0;  // bytes left of the cover
  bool began_ = false;       // a run was read
  bool in_zeros_ = false;    // kRuns gives zeros first
  std::uint64_t run_ = 0;    // left of the run of zeros or of values
};

}  // namespace lineside::delta
