// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/btf.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace lineside::delta {
namespace {

constexpr std::uint64_t kHeaderBytes = 24;
constexpr std::uint64_t kLeastBytes = 64;  // of types, worth a region

// A section of types and the strings behind it, as the header in front of them says.
struct Section {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  BytesView strings;
};

std::optional<Section> section_at(BytesView file, std::uint64_t at) {
  BytesView header = file.subspan(at);
  if (header.size() < kHeaderBytes || btf_word(header, 0) != 0x0001eb9f ||
      btf_word(header, 4) != kHeaderBytes || btf_word(header, 8) != 0) {
    return std::nullopt;
  }
  std::uint64_t length = btf_word(header, 12);
  std::uint64_t strings = btf_word(header, 16);
  std::uint64_t string_bytes = btf_word(header, 20);
  std::uint64_t room = header.size() - kHeaderBytes;
  if (length < kLeastBytes || length > strings || strings > room || string_bytes > room - strings) {
    return std::nullopt;
  }
  return Section{at + kHeaderBytes, length, header.subspan(kHeaderBytes + strings, string_bytes)};
}

// What the numbers in a section say of where its own begin.
struct Census {
  std::uint32_t records = 0;
  std::uint32_t greatest_type = 0;
  std::uint32_t greatest_string = 0;
};

Census census_of(BytesView types) {
  Census census;
  for (std::uint64_t at = 0; types.size() - at >= kBtfRecordBytes;) {
    BytesView record = types.subspan(at);
    std::uint64_t length = btf_record_bytes(record);
    if (length == 0 || length > record.size()) break;
    visit_btf_record(record, length, [&](std::uint64_t place, BtfNumber kind) {
      std::uint32_t number = btf_word(record, place);
      std::uint32_t& greatest =
          kind == BtfNumber::kType ? census.greatest_type : census.greatest_string;
      greatest = std::max(greatest, number);
    });
    ++census.records;
    at += length;
  }
  return census;
}

// The last string is one that a type is named by, nearly always: its offset says where they begin.
std::uint32_t string_begin(const Census& census, BytesView strings) {
  if (strings.size() < 2) return 0;
  std::uint64_t last = strings.size() - 1;
  while (last > 0 && strings[last - 1] != 0) --last;
  return census.greatest_string > last + 1
             ? census.greatest_string - static_cast<std::uint32_t>(last)
             : 0;
}

// Cuts what the image has of these bytes, and puts the region there.
void insert(ImageMap& image, const Region& region) {
  std::uint64_t end = std::uint64_t{region.offset} + region.length;
  std::vector<Region> regions;
  for (const Region& other : image.regions) {
    std::uint64_t other_end = std::uint64_t{other.offset} + other.length;
    if (other.offset < region.offset) {
      Region before = other;
      before.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(other_end, region.offset) -
                                                 other.offset);
      regions.push_back(before);
    }
    if (other_end > end) {
      Region behind = other;
      behind.offset = static_cast<std::uint32_t>(std::max<std::uint64_t>(other.offset, end));
      behind.length = static_cast<std::uint32_t>(other_end - behind.offset);
      behind.address += behind.offset - other.offset;
      if (behind.base == other.address) behind.base = behind.address;
      regions.push_back(behind);
    }
  }
  regions.push_back(region);
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.offset < b.offset; });
  image.regions = std::move(regions);
}

// Regions of an image follow one another.
std::uint32_t image_at(const ImageMap& image, std::uint32_t offset) {
  std::uint32_t number = 0;
  for (const Region& region : image.regions) {
    if (region.offset <= offset) number = region.image;
  }
  return number;
}

std::uint64_t address_in(const ImageMap& image, std::uint64_t offset) {
  for (const Region& region : image.regions) {
    if (offset >= region.offset && offset - region.offset < region.length) {
      return region.address + (offset - region.offset);
    }
  }
  return offset;
}

}  // namespace

BtfForm btf_form(unsigned kind) {
  // Head type, bytes of an entry, bytes behind, name first, place of the type + 1, known.
  static constexpr std::array<BtfForm, 20> kForms = {{
      {},                              // 0: none
      {false, 0, 4, false, 0, true},   // INT
      {true, 0, 0, false, 0, true},    // PTR
      {false, 0, 12, false, 0, true},  // ARRAY
      {false, 12, 0, true, 5, true},   // STRUCT
      {false, 12, 0, true, 5, true},   // UNION
      {false, 8, 0, true, 0, true},    // ENUM
      {false, 0, 0, false, 0, true},   // FWD
      {true, 0, 0, false, 0, true},    // TYPEDEF
      {true, 0, 0, false, 0, true},    // VOLATILE
      {true, 0, 0, false, 0, true},    // CONST
      {true, 0, 0, false, 0, true},    // RESTRICT
      {true, 0, 0, false, 0, true},    // FUNC
      {true, 8, 0, true, 5, true},     // FUNC_PROTO
      {true, 0, 4, false, 0, true},    // VAR
      {false, 12, 0, false, 1, true},  // DATASEC
      {false, 0, 0, false, 0, true},   // FLOAT
      {true, 0, 4, false, 0, true},    // DECL_TAG
      {true, 0, 0, false, 0, true},    // TYPE_TAG
      {false, 12, 0, true, 0, true},   // ENUM64
  }};
  return kind < kForms.size() ? kForms[kind] : BtfForm{};
}

std::uint64_t btf_record_bytes(BytesView head) {
  std::uint32_t info = btf_word(head, 4);
  BtfForm form = btf_form(btf_kind(info));
  if (!form.known) return 0;
  return kBtfRecordBytes + form.tail_bytes + std::uint64_t{info & 0xffff} * form.entry_bytes;
}

void add_btf(BytesView file, ImageMap& image) {
  struct Found {
    Section section;
    Census census;
  };
  std::vector<Found> all;
  static constexpr std::array<std::uint8_t, 4> kMagic = {0x9f, 0xeb, 1, 0};
  auto place = file.begin();
  for (;;) {
    place = std::search(place, file.end(), kMagic.begin(), kMagic.end());
    if (place == file.end()) break;
    auto section = section_at(file, static_cast<std::uint64_t>(place - file.begin()));
    ++place;
    if (!section) continue;
    place = file.begin() + static_cast<std::ptrdiff_t>(section->offset + section->length);
    all.push_back({*section, census_of(file.subspan(section->offset, section->length))});
  }
  // All modules of a kernel count from the same number on.
  std::uint32_t type_begin = 0;
  for (const Found& found : all) {
    if (found.census.greatest_type > found.census.records) {
      type_begin = std::max(type_begin, found.census.greatest_type - found.census.records);
    }
  }
  for (const Found& found : all) {
    std::uint32_t strings = string_begin(found.census, found.section.strings);
    Region region;
    region.offset = static_cast<std::uint32_t>(found.section.offset);
    region.length = static_cast<std::uint32_t>(found.section.length);
    region.address = address_in(image, region.offset);
    region.base = pack({strings == 0 ? 0 : type_begin, strings});
    region.kind = RegionKind::kBtf;
    region.image = image_at(image, region.offset);
    insert(image, region);
  }
}

}  // namespace lineside::delta
