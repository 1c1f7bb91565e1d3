// SPDX-License-Identifier: Apache-2.0
#include "delta/inspect.h"

#include <algorithm>

#include "delta/file_costs.h"
#include "delta/format.h"
#include "delta/plan.h"

namespace lineside::delta {
namespace {

void add_streams(const Unit& unit, std::vector<StreamShare>& shares) {
  shares.resize(stream_count(unit.method));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i].name = stream_name(unit.method, i);
    for (const Segment& segment : unit.segments) {
      shares[i].raw_bytes += segment.streams[i].raw_length;
      shares[i].coded_bytes += segment.streams[i].coded_length;
    }
  }
}

std::vector<MethodShare> shares_of(const std::vector<Unit>& units) {
  std::vector<MethodShare> shares;
  for (const Unit& unit : units) {
    std::string name(method_name(unit.method));
    auto found = std::find_if(shares.begin(), shares.end(),
                              [&](const MethodShare& share) { return share.method == name; });
    if (found == shares.end()) found = shares.insert(shares.end(), MethodShare{name, 0, 0, 0, {}});
    ++found->units;
    found->raw_bytes += unit.length;
    found->coded_bytes += unit.coded_bytes();
    add_streams(unit, found->streams);
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.coded_bytes > b.coded_bytes; });
  return shares;
}

// Without the base listing the plan cannot be made: unchanged and coded files look alike.
Result<std::vector<FileCost>> name_files(const Delivery& delivery, const trust::Listing* base,
                                         const trust::Listing* target) {
  const trust::Listing empty;
  bool full = delivery.base == trust::tree_id(empty);
  if (base == nullptr && full) base = &empty;
  if (base == nullptr || target == nullptr) return std::vector<FileCost>();
  if (trust::tree_id(*base) != delivery.base || trust::tree_id(*target) != delivery.target) {
    return Error{Code::kMismatch, "the delivery is not one between these trees"};
  }
  TreePlan plan = plan_tree(*base, *target);
  TRY(check_units(plan, delivery.units));
  return file_costs(plan, delivery.units);
}

}  // namespace

Result<Inspection> inspect(const Disk& disk, const Path& delivery, const trust::Listing* base,
                           const trust::Listing* target) {
  TRY_ASSIGN(auto file, disk.open(delivery));
  auto parsed = read_format(*file, trust::ListingLimits().max_bytes);
  if (!parsed.ok()) return parsed.error().with(delivery.string());
  Inspection result;
  result.version = kFormatVersion;
  result.base = parsed->base;
  result.target = parsed->target;
  result.length = file->size();
  result.apply_memory_bytes = parsed->apply_memory();
  result.methods = shares_of(parsed->units);
  result.index_bytes = result.length;
  for (const MethodShare& share : result.methods) result.index_bytes -= share.coded_bytes;
  if (parsed->listing) {
    TRY_ASSIGN(result.listing, trust::parse_listing(*parsed->listing));
    if (trust::tree_id(*result.listing) != parsed->target) {
      return Error{Code::kMismatch,
                   delivery.string() + ": its own listing is that of another tree"};
    }
  }
  if (target == nullptr && result.listing) target = &*result.listing;
  TRY_ASSIGN(result.files, name_files(*parsed, base, target));
  return result;
}

}  // namespace lineside::delta
