// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "node/check/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside::node;
  auto tensor = parse_npy({data, size}, "fuzz");
  if (!tensor.ok()) return 0;
  for (std::uint64_t i = 0; i < tensor->count(); ++i) (void)tensor->as_double(i);
  auto again = parse_npy(serialise_npy(*tensor), "again");
  if (!again.ok() || !(*again == *tensor)) std::abort();
  return 0;
}
