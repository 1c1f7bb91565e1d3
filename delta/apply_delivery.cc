// SPDX-License-Identifier: Apache-2.0
#include "delta/apply_delivery.h"

#include <algorithm>
#include <string>

#include "delta/file_costs.h"
#include "delta/format.h"
#include "delta/plan.h"
#include "delta/tree_writer.h"
#include "delta/unit_decoder.h"

namespace lineside::delta {
namespace {

using trust::Entry;
using trust::EntryType;

Error cancelled() {
  return {Code::kCancelled, "applying the delivery was stopped"};
}

// The listings come from signed documents by way of parse_listing, which checks all this. Writing
// to the disk rests on it, so it is not left to the caller.
Result<void> check_listing(const trust::Listing& listing) {
  const Entry* before = nullptr;
  for (const Entry& entry : listing.entries) {
    TRY(trust::check_path(entry.path));
    if (entry.type == EntryType::kLink) TRY(trust::check_link(entry.path, entry.target));
    if (before != nullptr && before->path >= entry.path) {
      return Error{Code::kMalformed, "listing: " + entry.path + " is out of order"};
    }
    before = &entry;
    std::size_t slash = entry.path.rfind('/');
    if (slash == std::string::npos) continue;
    const Entry* parent = listing.find(std::string_view(entry.path).substr(0, slash));
    if (parent == nullptr || parent->type != EntryType::kDirectory) {
      return Error{Code::kMalformed, "listing: " + entry.path + " lies in no listed folder"};
    }
  }
  return ok();
}

Result<void> check_delivery(const Delivery& delivery, const trust::Listing& base,
                            const trust::Listing& target, const ApplyOptions& options) {
  if (delivery.base != trust::tree_id(base)) {
    return Error{Code::kMismatch,
                 "the delivery was made from another tree: " + delivery.base.hex() + ", this is " +
                     trust::tree_id(base).hex()};
  }
  if (delivery.target != trust::tree_id(target)) {
    return Error{Code::kMismatch, "the delivery leads to another tree: " + delivery.target.hex()};
  }
  if (delivery.apply_memory() > options.max_memory_bytes) {
    return Error{Code::kTooLarge, "the delivery needs " + std::to_string(delivery.apply_memory()) +
                                      " bytes of memory, " +
                                      std::to_string(options.max_memory_bytes) + " are allowed"};
  }
  return ok();
}

class Applier {
 public:
  Applier(TreeWriter& tree, const TreePlan& plan, const TreeOnDisk& base, const Progress& progress,
          std::stop_token stop)
      : tree_(tree), plan_(plan), base_(base), progress_(progress), stop_(stop) {
    for (const PlannedFile& file : plan_.files) total_ += file.entry->length;
  }

  Result<ApplySummary> run(const Delivery& delivery, const InputFile& input) {
    summary_.files = plan_.files.size();
    TRY(find_kept());
    for (std::size_t i = 0; i < delivery.units.size(); ++i) {
      Result<void> made = make(delivery.units[i], input);
      if (!made.ok()) return made.error().with("unit " + std::to_string(i));
    }
    for (std::size_t i = 0; i < plan_.files.size(); ++i) {
      if (!kept_[i]) TRY(take(plan_.files[i]));
    }
    return summary_;
  }

 private:
  Result<void> find_kept() {
    for (const PlannedFile& file : plan_.files) {
      if (stop_.stop_requested()) return cancelled();
      TRY_ASSIGN(bool kept, tree_.has(*file.entry));
      kept_.push_back(kept);
      if (!kept) continue;
      ++summary_.kept_files;
      advance(file.entry->length);
    }
    return ok();
  }

  Result<void> make(const Unit& unit, const InputFile& input) {
    std::vector<FileSeries::Item> items;
    bool all_kept = true;
    for (std::uint32_t number : unit.targets) {
      std::uint32_t file = plan_.coded[number];
      items.push_back({plan_.files[file].entry, kept_[file]});
      all_kept = all_kept && kept_[file];
    }
    if (all_kept) return ok();
    std::vector<std::pair<Path, std::uint64_t>> bases;
    for (std::uint32_t number : unit.bases) {
      const Entry& entry = *plan_.base_files[number];
      bases.emplace_back(base_.path_of(entry), entry.length);
    }
    BaseOnDisk old_bytes(tree_.disk(), std::move(bases));
    FileSeries series(tree_, std::move(items));
    TRY(decode_unit(unit, input, old_bytes, [&](BytesView data) {
      if (stop_.stop_requested()) return Result<void>(cancelled());
      summary_.coded_bytes += data.size();
      advance(data.size());
      return series.take(data);
    }));
    return series.finish();
  }

  Result<void> take(const PlannedFile& file) {
    if (stop_.stop_requested()) return cancelled();
    switch (file.origin) {
      case Origin::kCoded:
        return ok();
      case Origin::kEmpty:
        return tree_.make_empty(*file.entry);
      case Origin::kSame:
        TRY(tree_.take(base_.path_of(*plan_.base_files[file.source]), *file.entry));
        break;
      case Origin::kTwin:
        TRY(tree_.take(tree_.path_of(*plan_.files[file.source].entry), *file.entry));
        break;
    }
    ++summary_.shared_files;
    advance(file.entry->length);
    return ok();
  }

  void advance(std::uint64_t bytes) {
    done_ = std::min(total_, done_ + bytes);
    if (progress_) progress_(done_, total_);
  }

  TreeWriter& tree_;
  const TreePlan& plan_;
  const TreeOnDisk& base_;
  const Progress& progress_;
  std::stop_token stop_;
  ApplySummary summary_;
  std::vector<bool> kept_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

Path partial_path(const Path& out_dir) {
  Path clean = out_dir.filename().empty() ? out_dir.parent_path() : out_dir;
  return clean.parent_path() / ("." + clean.filename().string() + ".partial");
}

Result<ApplySummary> apply_delivery(Disk& disk, const Path& delivery,
                                    const trust::Listing& base_listing, const Path& base_dir,
                                    const trust::Listing& target_listing, const Path& out_dir,
                                    const ApplyOptions& options, const Progress& progress,
                                    std::stop_token stop) {
  TRY_ASSIGN(auto existing, disk.stat(out_dir));
  if (existing) return Error{Code::kExists, out_dir.string() + " exists"};
  TRY(check_listing(base_listing));
  TRY(check_listing(target_listing));
  TRY_ASSIGN(auto input, disk.open(delivery));
  auto parsed = read_format(*input, 0);
  if (!parsed.ok()) return parsed.error().with(delivery.string());
  TRY(check_delivery(*parsed, base_listing, target_listing, options));
  TreePlan plan = plan_tree(base_listing, target_listing);
  TRY(check_units(plan, parsed->units));

  Path partial = partial_path(out_dir);
  TreeWriter tree(disk, partial, target_listing, options.threads, options.read_only);
  TRY(tree.prepare());
  const TreeOnDisk base{base_dir, {}, options.base_is_file};
  TRY_ASSIGN(ApplySummary summary, Applier(tree, plan, base, progress, stop).run(*parsed, *input));
  TRY(tree.finish());
  TRY(disk.rename(partial, out_dir));
  return summary;
}

}  // namespace lineside::delta
