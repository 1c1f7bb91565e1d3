// SPDX-License-Identifier: Apache-2.0
// What two listings alone say about the way from one tree to the other. Pure; maker and applier
// compute the same, so none of it travels.
#pragma once

#include <cstdint>
#include <vector>

#include "proto/trust/listing.h"

namespace lineside::delta {

enum class Origin {
  kEmpty,  // length 0
  kSame,   // a file of the base has this length and root
  kTwin,   // an earlier file of the target, coded itself, has this length and root
  kCoded,  // the delivery makes it
};

struct PlannedFile {
  const trust::Entry* entry = nullptr;  // in the target listing
  Origin origin = Origin::kCoded;
  std::uint32_t source = 0;  // kSame: number in base_files; kTwin: number in files
};

// Files are numbered from 0 in the order of their listing, folders and links not counted. Among
// base files with equal bytes, the one with the same path is taken, else the first. Both listings
// must outlive the plan.
struct TreePlan {
  std::vector<const trust::Entry*> base_files;
  std::vector<PlannedFile> files;
  std::vector<std::uint32_t> coded;  // numbers in `files` of those to code, ascending
};

TreePlan plan_tree(const trust::Listing& base, const trust::Listing& target);

}  // namespace lineside::delta
