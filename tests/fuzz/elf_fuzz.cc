// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as facts or refused; nothing outside them is touched.
#include "proto/runtime/elf.h"
#include "proto/runtime/memory_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside;
  (void)runtime::read_elf(runtime::MemoryInput({data, size}));
  return 0;
}
