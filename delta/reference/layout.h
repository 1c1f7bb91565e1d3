// SPDX-License-Identifier: Apache-2.0
// Where the images inside a unit's bytes lie in memory once they are loaded, and what kinds of
// references their regions hold. Travels in the delivery, so that an applier parses no executable:
// delta/README.md, "Layout".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// Values are part of the format.
enum class RegionKind : std::uint8_t {
  kPlain = 0,         // no references
  kX86Code = 1,       // x86-64 instructions
  kArm64Code = 2,     // AArch64 instructions
  kPointers64 = 3,    // 8-byte words that are addresses of the image
  kRela64 = 4,        // Elf64_Rela
  kSymbols64 = 5,     // Elf64_Sym; base: the names
  kEhFrame = 6,       // call frame information with 4-byte relative pointers
  kEhFrameTable = 7,  // .eh_frame_hdr
  kBtf = 8            // types of BTF; base: see btf.h, BtfBegins
};
inline constexpr std::uint8_t kLastRegionKind = 8;

// bytes[offset, +length) of the base stand at `address`.
struct Region {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint64_t address = 0;
  std::uint64_t base = 0;  // what the region's offsets count from; its own address if nothing else
  RegionKind kind = RegionKind::kPlain;
  std::uint32_t image = 0;
  bool operator==(const Region&) const = default;
};

// Addresses without bytes (.bss), old and new.
struct Zone {
  std::uint64_t address = 0;
  std::uint64_t length = 0;
  std::uint64_t new_address = 0;
  bool operator==(const Zone&) const = default;
};

// bytes[offset, +length) of the target stand at `address`.
struct Span {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint64_t address = 0;
  bool operator==(const Span&) const = default;
};

struct Layout {
  std::vector<Region> regions;           // of the base, ascending and apart, images in order
  std::vector<std::vector<Zone>> zones;  // of each image
  std::vector<Span> spans;               // of the target, ascending and apart
  bool operator==(const Layout&) const = default;

  [[nodiscard]] std::size_t images() const { return zones.size(); }
};

inline constexpr std::uint64_t kMaxLayoutBytes = 256U << 10;
inline constexpr std::uint64_t kMaxPredictedBytes = 0xffffffff;  // of a base or target

// What a layout of so many serialised bytes takes in memory, its indexes included.
constexpr std::uint64_t layout_memory(std::uint64_t bytes) {
  return 80 * bytes;
}

Bytes serialise_layout(const Layout& layout);
// kMalformed for what is none, or for regions and spans outside of base and target.
Result<Layout> parse_layout(BytesView bytes, std::uint64_t base_length,
                            std::uint64_t target_length);

}  // namespace lineside::delta
