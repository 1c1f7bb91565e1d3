// SPDX-License-Identifier: Apache-2.0
#include "delta/file_costs.h"

#include <string>

namespace lineside::delta {
namespace {

Error mismatch(const std::string& why) {
  return {Code::kMismatch, "delivery does not fit to the listings: " + why};
}

// The sum of the lengths must be `wanted`; every term is compared before it is added, so that no
// sum can wrap.
template <class LengthOf>
bool sum_is(const std::vector<std::uint32_t>& numbers, std::uint64_t wanted, LengthOf length_of) {
  std::uint64_t left = wanted;
  for (std::uint32_t number : numbers) {
    std::uint64_t length = length_of(number);
    if (length > left) return false;
    left -= length;
  }
  return left == 0;
}

}  // namespace

Result<void> check_units(const TreePlan& plan, const std::vector<Unit>& units) {
  std::vector<bool> made(plan.coded.size());
  std::size_t count = 0;
  for (const Unit& unit : units) {
    for (std::uint32_t number : unit.targets) {
      if (number >= made.size()) return mismatch("a file too many");
      if (made[number]) return mismatch("a file is made twice");
      made[number] = true;
      ++count;
    }
    for (std::uint32_t number : unit.bases) {
      if (number >= plan.base_files.size()) return mismatch("a base file that is not listed");
    }
    bool lengths =
        sum_is(unit.targets, unit.length,
               [&](std::uint32_t i) { return plan.files[plan.coded[i]].entry->length; }) &&
        sum_is(unit.bases, unit.base_length,
               [&](std::uint32_t i) { return plan.base_files[i]->length; });
    if (!lengths) return mismatch("a unit has another length");
  }
  if (count != made.size()) return mismatch("a file is missing");
  return ok();
}

std::vector<FileCost> file_costs(const TreePlan& plan, const std::vector<Unit>& units) {
  std::vector<FileCost> costs;
  for (const PlannedFile& file : plan.files) {
    FileCost cost{file.entry->path, "", "", file.entry->length, 0};
    if (file.origin == Origin::kEmpty) cost.method = "empty";
    if (file.origin == Origin::kSame) {
      cost.method = "same";
      cost.base = plan.base_files[file.source]->path;
    }
    if (file.origin == Origin::kTwin) cost.method = "twin";
    costs.push_back(std::move(cost));
  }
  for (const Unit& unit : units) {
    std::uint64_t coded = unit.coded_bytes();
    for (std::uint32_t number : unit.targets) {
      FileCost& cost = costs[plan.coded[number]];
      cost.method = method_name(unit.method);
      if (unit.targets.size() > 1) cost.method += ", packed";
      if (unit.bases.size() == 1) cost.base = plan.base_files[unit.bases[0]]->path;
      cost.bytes =
          static_cast<std::uint64_t>(static_cast<double>(coded) * static_cast<double>(cost.length) /
                                     static_cast<double>(unit.length));
    }
  }
  return costs;
}

}  // namespace lineside::delta
