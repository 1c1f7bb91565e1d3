// SPDX-License-Identifier: Apache-2.0
// Resume data come from a disk that may have been written by anybody.
#include <cstdlib>

#include "proto/swarm/resume.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside;
  const swarm::DeliveryFacts facts{{}, 100000};
  const auto pieces = swarm::decode_resume({data, size}, facts);
  if (pieces.ok() && swarm::encode_resume(facts, *pieces).size() != size) std::abort();
  return 0;
}
