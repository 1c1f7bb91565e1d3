// SPDX-License-Identifier: Apache-2.0
// What parses has a canonical form, and that form, if it is JSON, is its own canonical form.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "proto/trust/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto parsed = lineside::trust::parse_json({data, size}, "input");
  if (!parsed.ok()) return 0;
  auto canonical = lineside::trust::canonical_json(*parsed);
  if (!canonical.ok()) std::abort();
  auto again = lineside::trust::parse_json(*canonical, "canonical");
  if (!again.ok()) return 0;  // control characters stand unescaped in it
  if (*lineside::trust::canonical_json(*again) != *canonical) std::abort();
  return 0;
}
