// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/address_map.h"

#include <algorithm>
#include <tuple>

namespace lineside::delta {
namespace {

using Piece = AddressMap::Piece;

// Makes them apart, in place.
void flatten(std::vector<Piece>& pieces) {
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    return std::tie(a.old_position, a.length, a.new_position) <
           std::tie(b.old_position, b.length, b.new_position);
  });
  std::size_t count = 0;
  for (Piece piece : pieces) {
    while (count > 0) {
      Piece& last = pieces[count - 1];
      std::uint64_t end = std::uint64_t{last.old_position} + last.length;
      if (end <= piece.old_position) break;
      if (piece.length > last.length) {
        if (piece.old_position <= last.old_position) {
          --count;
          continue;
        }
        last.length = piece.old_position - last.old_position;
        break;
      }
      std::uint64_t cut = std::min<std::uint64_t>(end - piece.old_position, piece.length);
      piece.old_position += static_cast<std::uint32_t>(cut);
      piece.new_position += static_cast<std::uint32_t>(cut);
      piece.length -= static_cast<std::uint32_t>(cut);
      break;
    }
    if (piece.length > 0) pieces[count++] = piece;
  }
  pieces.resize(count);
}

}  // namespace

AddressMap::AddressMap(const Layout& layout, std::vector<Piece> covers)
    : layout_(layout), pieces_(std::move(covers)), by_image_(layout.images()) {
  flatten(pieces_);
  for (const Region& region : layout.regions) {
    if (region.kind == RegionKind::kBtf) continue;  // may be no part of what is loaded
    by_image_[region.image].push_back({region.address, region.length, region.offset, false});
  }
  for (std::size_t i = 0; i < layout.images(); ++i) {
    for (const Zone& zone : layout.zones[i]) {
      by_image_[i].push_back({zone.address, zone.length, zone.new_address, true});
    }
    std::stable_sort(by_image_[i].begin(), by_image_[i].end(),
                     [](const Range& a, const Range& b) { return a.address < b.address; });
  }
}

AddressMap::Mapped AddressMap::map(std::uint32_t image, std::uint64_t address) const {
  const std::vector<Range>& ranges = by_image_[image];
  auto after = std::partition_point(ranges.begin(), ranges.end(), [address](const Range& range) {
    return range.address <= address;
  });
  if (after == ranges.begin()) return {address, false};
  const Range& range = *(after - 1);
  std::uint64_t inside = address - range.address;
  if (range.is_zone) return {range.place + inside, false};
  return map_offset(range.place + inside);
}

AddressMap::Mapped AddressMap::map_offset(std::uint64_t offset) const {
  auto after = std::partition_point(pieces_.begin(), pieces_.end(), [offset](const Piece& piece) {
    return piece.old_position <= offset;
  });
  bool has_before = after != pieces_.begin();
  std::uint64_t gap_before = 0;
  if (has_before) {
    const Piece& piece = *(after - 1);
    std::uint64_t end = std::uint64_t{piece.old_position} + piece.length;
    std::uint64_t mapped = piece.new_position + (offset - piece.old_position);
    if (offset < end) return {new_address(mapped), true};
    gap_before = offset - end;
    bool next_is_nearer = after != pieces_.end() && after->old_position - offset < gap_before;
    if (!next_is_nearer) return {new_address(mapped), false};
  }
  if (after == pieces_.end()) return {new_address(offset), false};
  return {new_address(after->new_position - (after->old_position - offset)), false};
}

std::uint64_t AddressMap::new_address(std::uint64_t position) const {
  auto after =
      std::partition_point(layout_.spans.begin(), layout_.spans.end(),
                           [position](const Span& span) { return span.offset <= position; });
  if (after == layout_.spans.begin()) return position;
  const Span& span = *(after - 1);
  return span.address + (position - span.offset);
}

}  // namespace lineside::delta
