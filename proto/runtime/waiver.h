// SPDX-License-Identifier: Apache-2.0
// A person's word that one finding is known and accepted for a time. It is in force before the
// second `until`, and for exactly the subject that it names: a waiver never covers what nobody has
// looked at.
#pragma once

#include <vector>

#include "proto/base/config.h"
#include "proto/trust/manifest.h"

namespace lineside::runtime {

// As the signed manifest carries it to those who audit the bundle again.
using Waiver = trust::Waiver;

// [[waiver]] tables with rule, subject, by, until ("2026-12-31T00:00:00Z") and reason, all
// demanded. kUsage with the line otherwise. The caller calls config.finish().
Result<std::vector<Waiver>> read_waivers(Config& config);

}  // namespace lineside::runtime
