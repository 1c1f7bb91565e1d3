// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/elf_layout.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "proto/base/elf_format.h"

namespace lineside::delta {
namespace {

constexpr std::uint64_t kSectionSize = 64;
constexpr std::uint64_t kMostSections = 4096;

// ELF-64, figure 8 and following.
enum : std::uint64_t {
  kTypeRela = 4,
  kTypeNoBits = 8,
  kTypeDynSym = 11,
  kFlagAlloc = 2,
  kFlagExecutable = 4,
  kFlagTls = 0x400
};

struct Section {
  std::string name;
  std::uint64_t type = 0, flags = 0, address = 0, offset = 0, size = 0, link = 0;
};

class Reader {
 public:
  explicit Reader(BytesView file) : file_(file) {}

  // Zero for what lies outside.
  [[nodiscard]] std::uint64_t get(std::uint64_t offset, std::uint64_t count) const {
    if (offset > file_.size() || count > file_.size() - offset) return 0;
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      value |= std::uint64_t{file_[offset + i]} << (8 * i);
    }
    return value;
  }
  [[nodiscard]] bool inside(std::uint64_t offset, std::uint64_t count) const {
    return offset <= file_.size() && count <= file_.size() - offset;
  }
  [[nodiscard]] std::string name(const Section& strings, std::uint64_t offset) const {
    std::string result;
    for (; offset < strings.size && inside(strings.offset, strings.size); ++offset) {
      char c = static_cast<char>(file_[strings.offset + offset]);
      if (c == 0) break;
      result.push_back(c);
    }
    return result;
  }

 private:
  BytesView file_;
};

std::vector<Section> read_sections(const Reader& reader) {
  std::uint64_t table = reader.get(40, 8);
  std::uint64_t count = reader.get(60, 2);
  if (count > kMostSections || !reader.inside(table, count * kSectionSize)) return {};
  std::vector<Section> sections(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t at = table + i * kSectionSize;
    sections[i] = {"",
                   reader.get(at + 4, 4),
                   reader.get(at + 8, 8),
                   reader.get(at + 16, 8),
                   reader.get(at + 24, 8),
                   reader.get(at + 32, 8),
                   reader.get(at + 40, 4)};
  }
  std::uint64_t names = reader.get(62, 2);
  if (names >= count) return sections;
  for (std::uint64_t i = 0; i < count; ++i) {
    sections[i].name = reader.name(sections[names], reader.get(table + i * kSectionSize, 4));
  }
  return sections;
}

bool holds_pointers(const std::string& name) {
  static constexpr std::string_view kNames[] = {".got",        ".got.plt",     ".init_array",
                                                ".fini_array", ".data.rel.ro", ".data",
                                                ".dynamic",    ".ctors",       ".dtors"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

RegionKind kind_of(const Section& section, std::uint64_t machine) {
  if (section.type == kTypeRela) return RegionKind::kRela64;
  if (section.type == kTypeDynSym) return RegionKind::kSymbols64;
  if (section.name == ".eh_frame") return RegionKind::kEhFrame;
  if (section.name == ".eh_frame_hdr") return RegionKind::kEhFrameTable;
  if ((section.flags & kFlagExecutable) != 0) {
    return machine == elf::kMachineX86 ? RegionKind::kX86Code : RegionKind::kArm64Code;
  }
  return holds_pointers(section.name) ? RegionKind::kPointers64 : RegionKind::kPlain;
}

bool joins(const Region& a, const Region& b) {
  return a.kind == b.kind &&
         (a.kind == RegionKind::kPlain || a.kind == RegionKind::kX86Code ||
          a.kind == RegionKind::kArm64Code || a.kind == RegionKind::kPointers64) &&
         a.address - a.offset == b.address - b.offset && b.offset - (a.offset + a.length) < 4096;
}

// Neighbours that differ in nothing are one.
std::vector<Region> joined(std::vector<Region> regions) {
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.offset < b.offset; });
  std::vector<Region> result;
  for (const Region& region : regions) {
    if (!result.empty() && region.offset < result.back().offset + result.back().length) continue;
    if (!result.empty() && joins(result.back(), region)) {
      result.back().length = region.offset + region.length - result.back().offset;
    } else {
      result.push_back(region);
    }
  }
  return result;
}

}  // namespace

std::optional<ImageMap> map_elf(BytesView file) {
  Reader reader(file);
  std::uint64_t machine = reader.get(elf::kMachineAt, 2);
  bool known = file.size() >= elf::kHeaderBytes64 && file.size() <= kMaxPredictedBytes &&
               reader.get(0, 4) == elf::kMagic && reader.get(4, 1) == elf::kClass64 &&
               reader.get(5, 1) == elf::kLittleEndian &&
               (machine == elf::kMachineX86 || machine == elf::kMachineArm64) &&
               reader.get(58, 2) == 64;
  if (!known) return std::nullopt;
  std::vector<Section> sections = read_sections(reader);
  bool relocatable = reader.get(elf::kTypeAt, 2) == elf::kRelocatable;
  ImageMap image;
  for (Section& section : sections) {
    if ((section.flags & kFlagAlloc) == 0 || section.size == 0) continue;
    if (section.type == kTypeNoBits) {
      if (relocatable || (section.flags & kFlagTls) != 0) continue;
      image.zones.push_back({section.name, {section.address, section.size, section.address}, 0});
      continue;
    }
    if (!reader.inside(section.offset, section.size)) return std::nullopt;
    if (relocatable) section.address = section.offset;  // it has none of its own
    Region region{static_cast<std::uint32_t>(section.offset),
                  static_cast<std::uint32_t>(section.size),
                  section.address,
                  section.address,
                  kind_of(section, machine),
                  0};
    if (region.kind == RegionKind::kSymbols64) {
      if (section.link >= sections.size()) return std::nullopt;
      region.base = sections[section.link].address;
    }
    image.regions.push_back(region);
  }
  image.regions = joined(std::move(image.regions));
  if (image.regions.empty()) return std::nullopt;
  return image;
}

namespace {

// The name in front of the member at `offset`, if the buffer is a tar (POSIX.1-1988, ustar).
std::string tar_name(BytesView file, std::uint64_t offset) {
  constexpr std::uint64_t kHeader = 512;
  constexpr std::uint64_t kNameBytes = 100;
  static constexpr std::string_view kMagic = "ustar";
  if (offset < kHeader || offset % kHeader != 0) return {};
  BytesView header = file.subspan(offset - kHeader, kHeader);
  if (!std::equal(kMagic.begin(), kMagic.end(), header.begin() + 257)) return {};
  auto end = std::find(header.begin(), header.begin() + kNameBytes, 0);
  return {header.begin(), end};
}

// Length of the program that begins with `bytes`, by where its section headers end; 0 for none.
std::uint64_t program_bytes(BytesView bytes) {
  Reader reader(bytes);
  std::uint64_t type = reader.get(elf::kTypeAt, 2);
  if (type != elf::kExecutable && type != elf::kShared) return 0;
  std::uint64_t table = reader.get(40, 8);
  std::uint64_t length = reader.get(60, 2) * kSectionSize;
  return length > 0 && reader.inside(table, length) ? table + length : 0;
}

void append_image(ImageMap& all, ImageMap image, std::uint64_t offset, std::string name) {
  auto number = static_cast<std::uint32_t>(all.images.size());
  for (Region& region : image.regions) {
    region.offset += static_cast<std::uint32_t>(offset);
    region.image = number;
    all.regions.push_back(region);
  }
  for (ImageMap::Named& zone : image.zones) {
    zone.image = number;
    all.zones.push_back(std::move(zone));
  }
  all.images.push_back(name.empty() ? std::to_string(number) : std::move(name));
}

// The number of the image known by that name, one behind the last if there is none.
std::uint32_t image_named(const ImageMap& map, const std::string& name) {
  auto found = std::find(map.images.begin(), map.images.end(), name);
  return static_cast<std::uint32_t>(found - map.images.begin());
}

}  // namespace

ImageMap map_elves(BytesView file) {
  static constexpr std::array<std::uint8_t, 6> kMagic = {0x7f, 'E', 'L', 'F', 2, 1};
  ImageMap all;
  all.images.clear();
  if (file.size() > kMaxPredictedBytes) return all;
  auto place = file.begin();
  for (;;) {
    place = std::search(place, file.end(), kMagic.begin(), kMagic.end());
    if (place == file.end()) return all;
    auto offset = static_cast<std::uint64_t>(place - file.begin());
    std::uint64_t length = program_bytes(file.subspan(offset));
    std::optional<ImageMap> image;
    if (length > 0) image = map_elf(file.subspan(offset, length));
    if (image) append_image(all, std::move(*image), offset, tar_name(file, offset));
    place += image ? static_cast<std::ptrdiff_t>(length) : 1;
  }
}

Layout make_layout(const ImageMap& old_image, const ImageMap& new_image) {
  Layout layout;
  layout.regions = old_image.regions;
  layout.zones.resize(old_image.images.size());
  for (const ImageMap::Named& named : old_image.zones) {
    Zone zone = named.zone;
    std::uint32_t number = image_named(new_image, old_image.images[named.image]);
    for (const ImageMap::Named& other : new_image.zones) {
      bool same = other.image == number && other.name == named.name;
      if (same) zone.new_address = other.zone.address;
    }
    layout.zones[named.image].push_back(zone);
  }
  for (const Region& region : new_image.regions) {
    Span* last = layout.spans.empty() ? nullptr : &layout.spans.back();
    if (last != nullptr && last->address - last->offset == region.address - region.offset) {
      last->length = region.offset + region.length - last->offset;
    } else {
      layout.spans.push_back({region.offset, region.length, region.address});
    }
  }
  return layout;
}

Layout layout_of(const ImageMap& image) {
  return make_layout(image, image);
}

}  // namespace lineside::delta
