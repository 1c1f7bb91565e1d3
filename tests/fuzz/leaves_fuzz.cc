// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>

#include "proto/trust/leaves.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside::trust;
  lineside::BytesView bytes(data, size);
  auto leaves = parse_leaves(bytes);
  if (leaves.ok() != (size % kDigestBytes == 0)) std::abort();
  if (!leaves.ok()) return 0;
  lineside::Bytes again = serialise_leaves(*leaves);
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) std::abort();
  return 0;
}
