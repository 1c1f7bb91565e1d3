// SPDX-License-Identifier: Apache-2.0
// What a reference will be in the target, learning from each that was wrong. Maker and applier ask
// the same questions in the same order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "delta/reference/address_map.h"
#include "delta/reference/reference.h"

namespace lineside::delta {

class Predictor {
 public:
  // `layout` must outlive it.
  Predictor(const Layout& layout, std::vector<AddressMap::Piece> covers);

  static constexpr std::uint64_t kMemory = 1ULL << 20;  // without the map

  // The operand's number once the operand stands at `new_position` of the target.
  [[nodiscard]] std::int64_t predict(const Reference& reference, std::uint64_t new_position) const;
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

  const Layout& layout_;
  AddressMap map_;
  std::vector<Known> known_;
  // The last ADRP that was wrong: its partner learns both halves.
  std::uint64_t page_target_ = 0;
  std::int64_t page_residual_ = 0;
};

}  // namespace lineside::delta
