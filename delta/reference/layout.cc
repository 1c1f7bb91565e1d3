// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/layout.h"

#include "delta/varint.h"

namespace lineside::delta {
namespace {

// Addresses go up with the offsets nearly always: only the change of their distance is written.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t shift = 0;   // address - offset of what stood before
  std::uint64_t begins = 0;  // base of the BTF before
};

void put_place(Bytes& out, Place& place, std::uint64_t offset, std::uint64_t length,
               std::uint64_t address) {
  put_varint(out, offset - place.offset);
  put_varint(out, length);
  std::uint64_t shift = address - offset;
  put_varint(out, fold(static_cast<std::int64_t>(shift - place.shift)));
  place.offset = offset + length;
  place.shift = shift;
}

Result<Span> get_place(ByteReader& reader, Place& place, std::uint64_t end) {
  TRY_ASSIGN(std::uint64_t gap, reader.varint("gap", end - place.offset));
  std::uint64_t offset = place.offset + gap;
  TRY_ASSIGN(std::uint64_t length, reader.varint("length", end - offset));
  TRY_ASSIGN(std::uint64_t change, reader.varint("address"));
  place.shift += static_cast<std::uint64_t>(unfold(change));
  place.offset = offset + length;
  return Span{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length),
              offset + place.shift};
}

bool has_base(RegionKind kind) {
  return kind == RegionKind::kSymbols64 || kind == RegionKind::kBtf;
}

// What the region's base is written as the distance from.
std::uint64_t base_origin(const Region& region, const Place& place) {
  return region.kind == RegionKind::kBtf ? place.begins : region.address;
}

Result<void> get_regions(ByteReader& reader, Place& place, std::uint64_t end, Layout& layout) {
  TRY_ASSIGN(std::uint64_t count, reader.varint("region count", reader.left()));
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(Span span, get_place(reader, place, end));
    TRY_ASSIGN(std::uint8_t kind, reader.byte("kind"));
    if (kind > kLastRegionKind) {
      return Error{Code::kUnsupported, "layout: regions of kind " + std::to_string(kind)};
    }
    Region region{span.offset,
                  span.length,
                  span.address,
                  span.address,
                  static_cast<RegionKind>(kind),
                  static_cast<std::uint32_t>(layout.images())};
    if (has_base(region.kind)) {
      TRY_ASSIGN(std::uint64_t distance, reader.varint("base"));
      region.base = base_origin(region, place) + static_cast<std::uint64_t>(unfold(distance));
      if (region.kind == RegionKind::kBtf) place.begins = region.base;
    }
    layout.regions.push_back(region);
  }
  return ok();
}

Result<std::vector<Zone>> get_zones(ByteReader& reader) {
  TRY_ASSIGN(std::uint64_t count, reader.varint("zone count", reader.left()));
  std::vector<Zone> zones;
  for (std::uint64_t i = 0; i < count; ++i) {
    Zone zone;
    TRY_ASSIGN(zone.address, reader.varint("zone"));
    TRY_ASSIGN(zone.length, reader.varint("zone length"));
    TRY_ASSIGN(std::uint64_t change, reader.varint("new zone"));
    zone.new_address = zone.address + static_cast<std::uint64_t>(unfold(change));
    zones.push_back(zone);
  }
  return zones;
}

}  // namespace

Bytes serialise_layout(const Layout& layout) {
  Bytes out;
  put_varint(out, layout.images());
  Place place;
  std::size_t next = 0;
  for (std::uint32_t image = 0; image < layout.images(); ++image) {
    std::size_t end = next;
    while (end < layout.regions.size() && layout.regions[end].image == image) ++end;
    put_varint(out, end - next);
    for (; next < end; ++next) {
      const Region& region = layout.regions[next];
      put_place(out, place, region.offset, region.length, region.address);
      out.push_back(static_cast<std::uint8_t>(region.kind));
      if (!has_base(region.kind)) continue;
      put_varint(out, fold(static_cast<std::int64_t>(region.base - base_origin(region, place))));
      if (region.kind == RegionKind::kBtf) place.begins = region.base;
    }
    put_varint(out, layout.zones[image].size());
    for (const Zone& zone : layout.zones[image]) {
      put_varint(out, zone.address);
      put_varint(out, zone.length);
      put_varint(out, fold(static_cast<std::int64_t>(zone.new_address - zone.address)));
    }
  }
  put_varint(out, layout.spans.size());
  place = {};
  for (const Span& span : layout.spans) {
    put_place(out, place, span.offset, span.length, span.address);
  }
  return out;
}

Result<Layout> parse_layout(BytesView bytes, std::uint64_t base_length,
                            std::uint64_t target_length) {
  if (base_length > kMaxPredictedBytes || target_length > kMaxPredictedBytes) {
    return Error{Code::kMalformed, "layout: of more than 4 GiB"};
  }
  ByteReader reader(bytes, "layout");
  Layout layout;
  TRY_ASSIGN(std::uint64_t images, reader.varint("image count", reader.left()));
  Place place;
  for (std::uint64_t i = 0; i < images; ++i) {
    TRY(get_regions(reader, place, base_length, layout));
    TRY_ASSIGN(std::vector<Zone> zones, get_zones(reader));
    layout.zones.push_back(std::move(zones));
  }
  place = {};
  TRY_ASSIGN(std::uint64_t spans, reader.varint("span count", reader.left()));
  for (std::uint64_t i = 0; i < spans; ++i) {
    TRY_ASSIGN(Span span, get_place(reader, place, target_length));
    layout.spans.push_back(span);
  }
  if (!reader.at_end()) return reader.bad("layout", "goes on after the last span");
  return layout;
}

}  // namespace lineside::delta
