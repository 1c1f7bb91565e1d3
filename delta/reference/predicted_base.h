// SPDX-License-Identifier: Apache-2.0
// The bytes of covers with their references moved to where the target will have them.
#pragma once

#include <cstdint>
#include <span>

#include "delta/cover_source.h"
#include "delta/reference/predictor.h"
#include "delta/reference/scanner.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// How far each prediction is off. The maker computes it and writes it down, the applier reads it.
class Residuals {
 public:
  virtual ~Residuals() = default;
  // `bytes` are those of the old operand, `predicted` is its number at `new_position`.
  [[nodiscard]] virtual Result<std::int64_t> next(const Reference& reference, BytesView bytes,
                                                  std::int64_t predicted,
                                                  std::uint64_t new_position) = 0;
};

// Covers in the order of the target; what is read depends on the covers alone, not on the portions.
class PredictedBase final : public CoverSource {
 public:
  // All must outlive it.
  PredictedBase(Scanner& scanner, Predictor& predictor, BaseBytes& base, Residuals& residuals)
      : scanner_(scanner), predictor_(predictor), base_(base), residuals_(residuals) {}

  void begin(const Cover& cover) override;
  [[nodiscard]] Result<void> read(std::span<std::uint8_t> out) override;

 private:
  [[nodiscard]] Result<void> next_piece();
  [[nodiscard]] Result<void> apply(const Reference& reference, std::uint64_t old_begin);

  Scanner& scanner_;
  Predictor& predictor_;
  BaseBytes& base_;
  Residuals& residuals_;
  std::uint64_t old_position_ = 0;  // behind the piece
  std::uint64_t new_position_ = 0;
  std::uint64_t left_ = 0;  // of the cover, behind the piece
  Bytes piece_;             // up to the end of a block, no reference cut
  std::size_t used_ = 0;    // bytes of the piece that were read
};

}  // namespace lineside::delta
