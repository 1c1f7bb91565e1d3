// SPDX-License-Identifier: Apache-2.0
// Where the things of the old images are in the new ones, as far as covers and layout say it.
#pragma once

#include <cstdint>
#include <vector>

#include "delta/covers.h"
#include "delta/reference/layout.h"

namespace lineside::delta {

// Immutable; must not outlive the layout.
class AddressMap {
 public:
  // A piece of a cover; positions below 4 GiB.
  struct Piece {
    std::uint32_t old_position = 0;
    std::uint32_t new_position = 0;
    std::uint32_t length = 0;
  };
  // Covers in any order, inside base and target. Where two claim the same old bytes the longer one
  // has them.
  AddressMap(const Layout& layout, std::vector<Piece> covers);

  struct Mapped {
    std::uint64_t address = 0;
    bool covered = false;  // false: guessed from the nearest cover or zone
  };
  // Of an old address in an image.
  [[nodiscard]] Mapped map(std::uint32_t image, std::uint64_t address) const;
  // Of a byte of the target.
  [[nodiscard]] std::uint64_t new_address(std::uint64_t position) const;

 private:
  // Old addresses, with bytes or without.
  struct Range {
    std::uint64_t address = 0;
    std::uint64_t length = 0;
    std::uint64_t place = 0;  // offset in the base, or new address of a zone
    bool is_zone = false;
  };
  [[nodiscard]] Mapped map_offset(std::uint64_t offset) const;

  const Layout& layout_;
  std::vector<Piece> pieces_;                 // by old position, apart
  std::vector<std::vector<Range>> by_image_;  // each by address
};

}  // namespace lineside::delta
