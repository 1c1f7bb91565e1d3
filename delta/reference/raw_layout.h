// SPDX-License-Identifier: Apache-2.0
// The layout of AArch64 images without section headers: kernels, boot loaders.
#pragma once

#include <optional>

#include "delta/reference/elf_layout.h"
#include "proto/base/bytes.h"

namespace lineside::delta {

// Guesses from the bytes where code, relocations and pointers are, and at which address the image
// was linked. nullopt if too little of it looks like code. A wrong guess costs bytes, nothing else.
std::optional<ImageMap> map_raw_arm64(BytesView file);

}  // namespace lineside::delta
