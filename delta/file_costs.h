// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "delta/format.h"
#include "delta/make_delivery.h"
#include "delta/plan.h"

namespace lineside::delta {

// Whether the units make each coded file exactly once, with the lengths of the listings. kMismatch.
Result<void> check_units(const TreePlan& plan, const std::vector<Unit>& units);

// How each file of the target travels, in the order of its listing. The units must have passed
// check_units.
std::vector<FileCost> file_costs(const TreePlan& plan, const std::vector<Unit>& units);

}  // namespace lineside::delta
