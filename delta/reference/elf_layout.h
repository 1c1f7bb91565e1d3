// SPDX-License-Identifier: Apache-2.0
// The layout of the executables inside two buffers, as the maker of a delivery finds it. Nothing
// here is needed to apply one, so nothing here is part of the format.
#pragma once

#include <optional>

#include "delta/reference/layout.h"
#include "proto/base/bytes.h"

namespace lineside::delta {

// What one buffer holds: regions of kind and address, and what has addresses but no bytes.
struct ImageMap {
  std::vector<Region> regions;
  struct Named {
    std::string name;
    Zone zone;
    std::uint32_t image = 0;
  };
  std::vector<Named> zones;
  std::vector<std::string> images = {""};  // what each is known by in both buffers
};

// Of a 64-bit little-endian ELF file for x86-64 or AArch64 with section headers. nullopt for
// anything else, damaged ones included.
std::optional<ImageMap> map_elf(BytesView file);

// Of a buffer that holds several files, such as a tar: all programs and libraries in it that
// map_elf knows, object files excepted. Each is known by its name in the tar, else by how many
// stand before.
ImageMap map_elves(BytesView file);

Layout make_layout(const ImageMap& old_image, const ImageMap& new_image);
// The layout of a buffer beside itself, for scanning it.
Layout layout_of(const ImageMap& image);

}  // namespace lineside::delta
