// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/probe_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)lineside::runtime::parse_probe_spec({data, size}).ok();
  return 0;
}
