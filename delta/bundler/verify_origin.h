// SPDX-License-Identifier: Apache-2.0
// Looks at an origin with a site's eyes before anybody else does.
#pragma once

#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::bundler {

struct OriginReport {
  std::vector<std::string> bundles;  // "NAME/VERSION.json"
  std::uint64_t deliveries = 0;
};

// From the trusted root file on: TUF refresh, each target, and length and root of each delivery
// that a manifest names. The first thing that is not as signed is the error.
Result<OriginReport> verify_origin(Disk& disk, const Path& origin, const Path& root, UtcTime now);

}  // namespace lineside::bundler
