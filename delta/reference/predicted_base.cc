// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/predicted_base.h"

#include <algorithm>

#include "delta/base_bytes.h"

namespace lineside::delta {

void PredictedBase::begin(const Cover& cover) {
  old_position_ = cover.old_position;
  new_position_ = cover.new_position;
  left_ = cover.length;
  piece_.clear();
  used_ = 0;
}

Result<void> PredictedBase::read(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    if (used_ == piece_.size()) TRY(next_piece());
    std::size_t count = std::min(out.size(), piece_.size() - used_);
    std::copy_n(piece_.begin() + static_cast<std::ptrdiff_t>(used_), count, out.begin());
    used_ += count;
    out = out.subspan(count);
  }
  return ok();
}

Result<void> PredictedBase::next_piece() {
  std::uint64_t begin = old_position_;
  std::uint64_t block = begin / kScanBlockBytes;
  TRY_ASSIGN(auto references, scanner_.block(static_cast<std::uint32_t>(block)));
  std::uint64_t end = std::min(begin + left_, (block + 1) * kScanBlockBytes);
  if (!references.empty()) {
    const Reference& last = references.back();
    std::uint64_t last_end = std::uint64_t{last.position} + field_bytes(last.field);
    if (last.position >= begin && last_end > end && last_end <= begin + left_) end = last_end;
  }
  piece_.resize(end - begin);
  used_ = 0;
  TRY(base_.read(begin, piece_));
  for (const Reference& reference : references) {
    bool inside = reference.position >= begin &&
                  std::uint64_t{reference.position} + field_bytes(reference.field) <= end;
    if (inside) TRY(apply(reference, begin));
  }
  old_position_ = end;
  new_position_ += end - begin;
  left_ -= end - begin;
  return ok();
}

Result<void> PredictedBase::apply(const Reference& reference, std::uint64_t old_begin) {
  std::uint64_t inside = reference.position - old_begin;
  std::uint64_t new_position = new_position_ + inside;
  std::span<std::uint8_t> bytes = std::span(piece_).subspan(inside, field_bytes(reference.field));
  std::int64_t predicted = predictor_.predict(reference, new_position);
  TRY_ASSIGN(std::int64_t residual, residuals_.next(reference, bytes, predicted, new_position));
  predictor_.learn(reference, new_position, residual);
  auto operand = static_cast<std::int64_t>(static_cast<std::uint64_t>(predicted) +
                                           static_cast<std::uint64_t>(residual));
  write_operand(reference.field, operand, bytes);
  return ok();
}

}  // namespace lineside::delta
