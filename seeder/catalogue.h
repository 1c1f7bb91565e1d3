// SPDX-License-Identifier: Apache-2.0
// What the vendor offers, as far as the gateway knows it without asking.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "proto/trust/manifest.h"

namespace lineside::seeder {

struct KnownBundle {
  std::uint64_t length = 0;                 // of the manifest
  std::optional<trust::Manifest> manifest;  // if it was mirrored
  bool mirrored = false;                    // manifest and listing are here
};

// By the manifest's target name, "vision/2.0.0.json".
using Catalogue = std::map<std::string, KnownBundle>;

}  // namespace lineside::seeder
