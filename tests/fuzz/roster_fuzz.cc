// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/roster.h"

#include <cstdlib>

// What is read can be written, and is read alike again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto first = lineside::trust::parse_roster({data, size});
  if (!first.ok()) return 0;
  auto second = lineside::trust::parse_roster(lineside::trust::serialise(*first));
  if (!second.ok() || serialise(*second) != serialise(*first)) std::abort();
  return 0;
}
