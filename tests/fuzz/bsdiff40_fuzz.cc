// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "delta/bsdiff40.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  lineside::Bytes base(1000, 'b');
  auto made = lineside::delta::apply_bsdiff40(base, {data, size}, kMaxBytes);
  if (made.ok() && made->size() > kMaxBytes) __builtin_trap();
  return 0;
}
