// SPDX-License-Identifier: Apache-2.0
// What one scan of a region for references looks at. All scans are pure functions of the bytes in
// the window and belong to the format: another result in maker and applier makes another file.
#pragma once

#include <cstdint>
#include <vector>

#include "delta/reference/layout.h"
#include "delta/reference/reference.h"
#include "proto/base/bytes.h"

namespace lineside::delta {

// Scanning begins so many bytes before the bytes asked for, to fall into step with the instructions
// and to know the pages that registers hold, and may look so many bytes beyond them.
inline constexpr std::uint32_t kRunIn = 512;
inline constexpr std::uint32_t kRunOut = 64;

// Invariant: region.offset <= offset <= from <= to <= offset + bytes.size() <= end of the region;
// at most kRunIn before `from` and kRunOut after `to`, less only at the region's borders.
struct ScanWindow {
  BytesView bytes;           // of the region, from `offset` on
  std::uint32_t offset = 0;  // of bytes[0] in the base
  std::uint32_t from = 0;    // references are wanted whose operand begins in [from, to)
  std::uint32_t to = 0;
  const Region* region = nullptr;
  std::uint32_t number = 0;       // of the region
  std::uint64_t image_begin = 0;  // addresses that a reference may mean
  std::uint64_t image_end = 0;

  [[nodiscard]] std::uint64_t address_of(std::uint32_t position) const {
    return region->address + (position - region->offset);
  }
  [[nodiscard]] bool wanted(std::uint32_t position) const {
    return position >= from && position < to;
  }
  [[nodiscard]] bool in_image(std::uint64_t address) const {
    return address >= image_begin && address < image_end;
  }
};

// Each appends references in ascending order, wholly inside the window's bytes.
void scan_x86(const ScanWindow& window, std::vector<Reference>& out);
void scan_arm64(const ScanWindow& window, std::vector<Reference>& out);
void scan_pointers64(const ScanWindow& window, std::vector<Reference>& out);
void scan_rela64(const ScanWindow& window, std::vector<Reference>& out);
void scan_symbols64(const ScanWindow& window, std::vector<Reference>& out);
void scan_eh_frame_table(const ScanWindow& window, std::vector<Reference>& out);

// window.offset must be where an entry begins.
void scan_eh_frame(const ScanWindow& window, std::vector<Reference>& out);
void scan_btf(const ScanWindow& window, std::vector<Reference>& out);

}  // namespace lineside::delta
