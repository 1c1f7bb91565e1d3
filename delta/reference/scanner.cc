// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/scanner.h"

#include <algorithm>

#include "delta/base_bytes.h"
#include "delta/reference/btf.h"
#include "delta/reference/scan_window.h"

namespace lineside::delta {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;
// No entry with a length of its own that is longer is looked into.
constexpr std::uint32_t kMostEntryWindow = 2 * kScanBlockBytes;

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
    case RegionKind::kBtf:
      return scan_btf(window, out);
  }
}

// Whether entries have lengths of their own, so that finding one takes a walk over all before it.
bool is_walked(RegionKind kind) {
  return kind == RegionKind::kEhFrame || kind == RegionKind::kBtf;
}

constexpr std::uint64_t kHeadBytes = 12;  // of an entry, tell its length

// Length of the entry that begins with `head`; 0 where the walk ends.
std::uint64_t entry_bytes(RegionKind kind, BytesView head) {
  if (kind == RegionKind::kBtf) return btf_record_bytes(head);
  std::uint32_t length = btf_word(head, 0);
  return length == 0 || length >= 0xfffffff0 ? 0 : 4 + std::uint64_t{length};
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
  for (const Region& region : layout.regions) {
    if (region.kind != RegionKind::kBtf) extend(region.image, region.address, region.length);
  }
  for (std::size_t i = 0; i < layout.images(); ++i) {
    for (const Zone& zone : layout.zones[i]) extend(i, zone.address, zone.length);
  }
}

Result<Scanner> Scanner::open(const Layout& layout, BaseBytes& base) {
  Scanner scanner(layout, base);
  for (std::uint32_t i = 0; i < layout.regions.size(); ++i) {
    if (is_walked(layout.regions[i].kind)) TRY(scanner.index_entries(i));
  }
  return scanner;
}

Result<void> Scanner::index_entries(std::uint32_t number) {
  const Region& region = layout_->regions[number];
  EntryIndex index{number, {}};
  std::uint32_t first_block = region.offset / kScanBlockBytes;
  Bytes block;
  std::uint64_t loaded = 0;  // where `block` begins
  std::uint64_t at = region.offset;
  while (at + kHeadBytes <= end_of(region)) {
    std::size_t slot = at / kScanBlockBytes - first_block;
    if (slot >= index.first.size()) {
      index.first.resize(slot, kNone);
      index.first.push_back(static_cast<std::uint32_t>(at));
    }
    if (block.empty() || at < loaded || at + kHeadBytes > loaded + block.size()) {
      loaded = at;
      block.resize(std::min<std::uint64_t>(kScanBlockBytes, end_of(region) - at));
      TRY(base_->read(loaded, block));
    }
    std::uint64_t length = entry_bytes(region.kind, BytesView(block).subspan(at - loaded));
    if (length == 0) break;
    at += length;
  }
  indexes_.push_back(std::move(index));
  return ok();
}

std::uint32_t Scanner::window_begin(std::uint32_t number, std::uint32_t from) const {
  const Region& region = layout_->regions[number];
  if (!is_walked(region.kind)) {
    return from - region.offset > kRunIn ? from - kRunIn : region.offset;
  }
  auto index = std::find_if(indexes_.begin(), indexes_.end(),
                            [number](const EntryIndex& entry) { return entry.region == number; });
  if (index == indexes_.end()) return kNone;
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
  if (window.offset >= to || to - window.offset > kMostEntryWindow) return ok();
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
