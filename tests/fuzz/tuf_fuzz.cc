// SPDX-License-Identifier: Apache-2.0
// The four parsers that see a repository's bytes before any signature was checked, and the
// delegation walk over what they let through.
#include <cstdint>

#include "proto/trust/tuf/delegation.h"
#include "proto/trust/tuf/trusted_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside::trust::tuf;  // NOLINT
  lineside::BytesView bytes{data, size};
  (void)TrustedSet::start(bytes, {}).ok();
  (void)parse_timestamp(bytes).ok();
  (void)parse_snapshot(bytes).ok();
  auto targets = parse_targets(bytes);
  if (!targets.ok()) return 0;
  DelegationWalk walk;
  walk.descend({"targets"}, *targets, "ml/model.onnx");
  while (walk.next()) {
  }
  return 0;
}
