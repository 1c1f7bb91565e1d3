// SPDX-License-Identifier: Apache-2.0
// The references of the base, found block by block when they are needed, so that no table of all of
// them is held.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "delta/reference/layout.h"
#include "delta/reference/reference.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

class BaseBytes;

inline constexpr std::uint32_t kScanBlockBytes = 4096;

// Memory that scanning a base of this length takes.
constexpr std::uint64_t scanner_memory(std::uint64_t base_length) {
  return (768U << 10) + base_length / 512;
}

// One thread at a time.
class Scanner {
 public:
  // Walks once over call frame information and BTF. `layout` and `base` must outlive the scanner.
  static Result<Scanner> open(const Layout& layout, BaseBytes& base);

  // The references whose operand begins in [n, n + 1) * kScanBlockBytes, in ascending order; no two
  // overlap. Valid until the next call.
  Result<std::span<const Reference>> block(std::uint32_t n);

 private:
  // Where the first entry in each block of a region begins whose entries have lengths of their own.
  struct EntryIndex {
    std::uint32_t region = 0;
    std::vector<std::uint32_t> first;
  };
  struct Cached {
    std::uint32_t number = 0xffffffff;
    std::vector<Reference> references;
  };
  struct Bounds {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  static constexpr std::size_t kCachedBlocks = 8;

  Scanner(const Layout& layout, BaseBytes& base);
  Result<void> index_entries(std::uint32_t region);
  Result<void> scan_region(std::uint32_t number, std::uint32_t from, std::uint32_t to,
                           std::vector<Reference>& out);
  [[nodiscard]] std::uint32_t window_begin(std::uint32_t number, std::uint32_t from) const;

  const Layout* layout_;
  BaseBytes* base_;
  std::vector<Bounds> images_;
  std::vector<EntryIndex> indexes_;
  std::array<Cached, kCachedBlocks> cache_;
  Bytes window_;
};

}  // namespace lineside::delta
