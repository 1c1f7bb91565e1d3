// SPDX-License-Identifier: Apache-2.0
// A person's word that one finding is known and accepted for a time.
#pragma once

#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/config.h"

namespace lineside::runtime {

struct Waiver {
  std::string rule;     // "dep-version", or the id of a matrix rule
  std::string subject;  // exactly the finding's: a waiver never covers what nobody has looked at
  std::string by;
  UtcTime until{};  // in force before this second
  std::string reason;
};

// [[waiver]] tables with rule, subject, by, until ("2026-12-31T00:00:00Z") and reason, all
// demanded. kUsage with the line otherwise. The caller calls config.finish().
Result<std::vector<Waiver>> read_waivers(Config& config);

}  // namespace lineside::runtime
