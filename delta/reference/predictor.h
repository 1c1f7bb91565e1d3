// SPDX-License-Identifier: Apache-2.0
// What a reference will be in the target, learning from each that was wrong. Maker and applier ask
// the same questions in the same order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "delta/reference/address_map.h"
#include "delta/reference/number_map.h"
#include "delta/reference/reference.h"

namespace lineside::delta {

class Predictor {
 public:
  // `layout` must outlive it.
  Predictor(const Layout& layout, std::vector<AddressMap::Piece> covers);

  static constexpr std::uint64_t kMemory =
      (1ULL << 20) + 4 * NumberMap::kMemory;  // map not counted

  // The operand's number once the operand stands at `new_position` of the target.
  [[nodiscard]] std::int64_t predict(const Reference& reference, std::uint64_t new_position);
  // The number was greater by `residual` (cut to its width). To be called once after predict.
  void learn(const Reference& reference, std::uint64_t new_position, std::int64_t residual);

 private:
  struct Known {
    std::uint64_t old_target = 0;
    std::uint64_t new_target = 0;
    bool used = false;
  };
  static constexpr unsigned kKnownBits = 15;

  [[nodiscard]] std::uint64_t target_of_reference(const Reference& reference) const;
  [[nodiscard]] std::size_t slot(std::uint32_t image, std::uint64_t target) const;
  [[nodiscard]] std::uint64_t new_base(const Reference& reference) const;

  // The list that a number is from: that of the kernel, or of the region alone.
  [[nodiscard]] std::size_t list_of(const Reference& reference) const;
  void learn_number(const Reference& reference, std::int64_t residual);
  void enter_region(const Reference& reference);

  const Layout& layout_;
  AddressMap map_;
  std::array<NumberMap, 4> numbers_;  // by BtfNumber; then those of `region_`
  std::uint32_t region_ = 0;
  std::vector<Known> known_;
  // The last ADRP that was wrong: its partner learns both halves.
  std::uint64_t page_target_ = 0;
  std::int64_t page_residual_ = 0;
};

}  // namespace lineside::delta
