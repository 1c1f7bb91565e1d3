// SPDX-License-Identifier: Apache-2.0
// The bundle's bill of materials: CycloneDX 1.5, JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "proto/base/clock.h"
#include "proto/runtime/inventory.h"

namespace lineside::runtime {

struct SbomSubject {
  std::string name;  // the bundle
  std::string version;
  UtcTime made{};
};

// Python distributions as "library" with their package URL, the interpreter as "platform", models
// as "machine-learning-model" with their SHA-256; what depends on what, as far as both are in the
// bundle. Deterministic: the serial number is derived from the content.
nlohmann::json cyclonedx(const Inventory& inventory, const SbomSubject& subject);

}  // namespace lineside::runtime
