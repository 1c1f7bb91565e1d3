// SPDX-License-Identifier: Apache-2.0
// No input opens under a key that signed nothing.
#include <cstdint>
#include <cstdlib>

#include "proto/trust/dsse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside::trust;  // NOLINT
  static const Authority authority = [] {
    auto key = PrivateKey::generate(Scheme::kEd25519);
    if (!key.ok()) std::abort();
    return Authority{{key->public_key()}, 1};
  }();
  if (open({data, size}, "application/vnd.in-toto+json", authority).ok()) std::abort();
  return 0;
}
