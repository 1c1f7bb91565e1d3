// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/directive.h"

#include <cstdlib>

// What is read can be written, and is read alike again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto first = lineside::trust::parse_directive({data, size});
  if (!first.ok()) return 0;
  auto second = lineside::trust::parse_directive(lineside::trust::serialise(*first));
  if (!second.ok() || !(*second == *first)) std::abort();
  return 0;
}
