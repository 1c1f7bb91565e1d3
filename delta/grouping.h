// SPDX-License-Identifier: Apache-2.0
// Which files of the target are coded together, and against which files of the base.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "delta/make_delivery.h"
#include "delta/plan.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::delta {

// Number of a base file for each coded file, in the order of TreePlan::coded; nullopt for a new
// file.
using Partners = std::vector<std::optional<std::uint32_t>>;

// Same path first; else the most similar file of the base by content and name, if any is similar at
// all. Reads base files only if a coded file has no partner by path.
Result<Partners> find_partners(const Disk& disk, const TreePlan& plan, const TreeOnDisk& base,
                               const TreeOnDisk& target, std::stop_token stop);

// Becomes a unit.
struct Group {
  std::vector<std::uint32_t> targets;  // numbers in TreePlan::coded
  std::vector<std::uint32_t> bases;    // numbers in TreePlan::base_files, none twice
  std::uint64_t target_bytes = 0;
  std::uint64_t base_bytes = 0;
};

// Large changed files alone; small changed ones in packs of at most `pack_bytes` on each side; new
// ones in packs that long-range compression sees as one. Neighbours in a pack are alike by name.
std::vector<Group> group_files(const TreePlan& plan, const Partners& partners,
                               std::uint64_t pack_bytes);

}  // namespace lineside::delta
