// SPDX-License-Identifier: Apache-2.0
#include "proto/api/gossip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lineside::BytesView body(data, size);
  (void)lineside::api::parse_heads(body);
  (void)lineside::api::parse_envelopes(body, 1 << 16, 16);
  return 0;
}
