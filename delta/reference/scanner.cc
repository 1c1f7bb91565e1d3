// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/scanner.h"

#include <algorithm>

#include "delta/base_bytes.h"
#include "delta/reference/scan_window.h"

namespace lineside::delta {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;
// No entry of call frame information that is longer is looked into.
constexpr std::uint32_t kMostEhWindow = 2 * kScanBlockBytes;

std::uint32_t end_of(const Region& region) {
  return region.offset + region.length;
}

void scan_with(const ScanWindow& window, std::vector<Reference>& out) {
  switch (window.region->kind) {
    case RegionKind::kPlain:
      return;
    case RegionKind::kX86Code:
      return scan_x86(window, out);
    case RegionKind::kArm64Code:
      return scan_arm64(window, out);
    case RegionKind::kPointers64:
      return scan_pointers64(window, out);
    case RegionKind::kRela64:
      return scan_rela64(window, out);
    case RegionKind::kSymbols64:
      return scan_symbols64(window, out);
    case RegionKind::kEhFrame:
      return scan_eh_frame(window, out);
    case RegionKind::kEhFrameTable:
      return scan_eh_frame_table(window, out);
  }
}

// Scans of hostile bytes may disagree where they meet: the earlier reference wins.
void drop_overlaps(std::vector<Reference>& references) {
  std::uint64_t end = 0;
  auto overlaps = [&end](const Reference& reference) {
    if (reference.position < end) return true;
    end = std::uint64_t{reference.position} + field_bytes(reference.field);
    return false;
  };
  std::erase_if(references, overlaps);
}

}  // namespace

Scanner::Scanner(const Layout& layout, BaseBytes& base)
    : layout_(&layout), base_(&base), images_(layout.images()) {
  std::vector<bool> seen(images_.size());
  auto extend = [&](std::size_t image, std::uint64_t begin, std::uint64_t length) {
    Bounds& bounds = images_[image];
    bounds.begin = seen[image] ? std::min(bounds.begin, begin) : begin;
    bounds.end = seen[image] ? std::max(bounds.end, begin + length) : begin + length;
    seen[image] = true;
  };
  for (const Region& region : layout.regions) extend(region.image, region.address, region.length);
  for (std::size_t i = 0; i < layout.images(); ++i) {
    for (const Zone& zone : layout.zones[i]) extend(i, zone.address, zone.length);
  }
}

Result<Scanner> Scanner::open(const Layout& layout, BaseBytes& base) {
  Scanner scanner(layout, base);
  for (std::uint32_t i = 0; i < layout.regions.size(); ++i) {
    if (layout.regions[i].kind == RegionKind::kEhFrame) TRY(scanner.index_eh_frame(i));
  }
  return scanner;
}

Result<void> Scanner::index_eh_frame(std::uint32_t number) {
  const Region& region = layout_->regions[number];
  EhIndex index{number, {}};
  std::uint32_t first_block = region.offset / kScanBlockBytes;
  Bytes block;
  std::uint64_t loaded = 0;  // where `block` begins
  std::uint64_t at = region.offset;
  while (at + 8 <= end_of(region)) {
    std::size_t slot = at / kScanBlockBytes - first_block;
    if (slot >= index.first.size()) {
      index.first.resize(slot, kNone);
      index.first.push_back(static_cast<std::uint32_t>(at));
    }
    if (block.empty() || at < loaded || at + 4 > loaded + block.size()) {
      loaded = at;
      block.resize(std::min<std::uint64_t>(kScanBlockBytes, end_of(region) - at));
      TRY(base_->read(loaded, block));
    }
    auto length = static_cast<std::uint32_t>(static_cast<std::uint64_t>(
        read_operand(Field::kBased32, BytesView(block).subspan(at - loaded, 4))));
    if (length == 0 || length >= 0xfffffff0) break;
    at += 4 + std::uint64_t{length};
  }
  eh_indexes_.push_back(std::move(index));
  return ok();
}

std::uint32_t Scanner::window_begin(std::uint32_t number, std::uint32_t from) const {
  const Region& region = layout_->regions[number];
  if (region.kind != RegionKind::kEhFrame) {
    return from - region.offset > kRunIn ? from - kRunIn : region.offset;
  }
  auto index = std::find_if(eh_indexes_.begin(), eh_indexes_.end(),
                            [number](const EhIndex& entry) { return entry.region == number; });
  if (index == eh_indexes_.end()) return kNone;
  std::size_t slot = from / kScanBlockBytes - region.offset / kScanBlockBytes;
  // An entry of the block before may reach into this one.
  for (std::size_t i = slot > 0 ? slot - 1 : 0; i <= slot && i < index->first.size(); ++i) {
    if (index->first[i] != kNone) return index->first[i];
  }
  return kNone;
}

Result<void> Scanner::scan_region(std::uint32_t number, std::uint32_t from, std::uint32_t to,
                                  std::vector<Reference>& out) {
  const Region& region = layout_->regions[number];
  ScanWindow window;
  window.offset = window_begin(number, from);
  if (window.offset >= to || to - window.offset > kMostEhWindow) return ok();
  std::uint32_t end = to + std::min(kRunOut, end_of(region) - to);
  window_.resize(end - window.offset);
  TRY(base_->read(window.offset, window_));
  window.bytes = window_;
  window.from = std::max(from, window.offset);
  window.to = to;
  window.region = &region;
  window.number = number;
  window.image_begin = images_[region.image].begin;
  window.image_end = images_[region.image].end;
  scan_with(window, out);
  return ok();
}

Result<std::span<const Reference>> Scanner::block(std::uint32_t n) {
  Cached& cached = cache_[n % kCachedBlocks];
  if (cached.number == n) return std::span<const Reference>(cached.references);
  cached.number = kNone;
  cached.references.clear();
  std::uint64_t begin = std::uint64_t{n} * kScanBlockBytes;
  std::uint64_t end = begin + kScanBlockBytes;
  auto region = std::partition_point(layout_->regions.begin(), layout_->regions.end(),
                                     [begin](const Region& r) { return end_of(r) <= begin; });
  for (; region != layout_->regions.end() && region->offset < end; ++region) {
    auto from = static_cast<std::uint32_t>(std::max<std::uint64_t>(region->offset, begin));
    auto to = static_cast<std::uint32_t>(std::min<std::uint64_t>(end_of(*region), end));
    if (from >= to || region->kind == RegionKind::kPlain) continue;
    TRY(scan_region(static_cast<std::uint32_t>(region - layout_->regions.begin()), from, to,
                    cached.references));
  }
  drop_overlaps(cached.references);
  cached.number = n;
  return std::span<const Reference>(cached.references);
}

}  // namespace lineside::delta
