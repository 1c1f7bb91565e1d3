// SPDX-License-Identifier: Apache-2.0
#include "delta/apply_delivery.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "delta/bsdiff40.h"
#include "delta/cli/commands.h"
#include "delta/cli/session.h"
#include "delta/inspect.h"

namespace lineside::delta::cli {
namespace {

constexpr std::uint64_t kMaxBsdiffBytes = 16ULL << 30;

Result<bool> is_bsdiff40_file(const Disk& disk, const std::string& name) {
  TRY_ASSIGN(auto file, disk.open(name));
  std::array<std::uint8_t, 32> head{};
  TRY_ASSIGN(std::size_t got, file->read_at(0, head));
  return is_bsdiff40(BytesView(head).first(got));
}

Result<void> apply_bsdiff40_file(Disk& disk, const ApplyArguments& arguments) {
  TRY_ASSIGN(auto existing, disk.stat(arguments.out));
  if (existing) return Error{Code::kExists, arguments.out + " exists"};
  TRY_ASSIGN(Bytes base, disk.read(arguments.old_tree, kMaxBsdiffBytes));
  TRY_ASSIGN(Bytes patch, disk.read(arguments.delivery, kMaxBsdiffBytes));
  TRY_ASSIGN(Bytes target, apply_bsdiff40(base, patch, kMaxBsdiffBytes));
  return disk.replace(arguments.out, target);
}

bool is_single_file(const trust::Listing& listing) {
  return listing.entries.size() == 1 && listing.entries[0].path == kSingleEntry;
}

// Out of the tree of one file comes the file.
Result<void> unwrap(Disk& disk, const Path& tree, const Path& out) {
  TRY(disk.rename(tree / kSingleEntry, out));
  return disk.remove_tree(tree);
}

void print(const ApplyArguments& arguments, const ApplySummary& summary) {
  if (arguments.json) {
    nlohmann::json result{{"files", summary.files},
                          {"kept_files", summary.kept_files},
                          {"shared_files", summary.shared_files},
                          {"coded_bytes", summary.coded_bytes}};
    fmt::print("{}\n", result.dump(2));
    return;
  }
  fmt::print("{}: {} files verified, {} shared with the old tree, {} decoded\n", arguments.out,
             summary.files, summary.shared_files, human_bytes(summary.coded_bytes));
}

}  // namespace

Result<void> apply(Disk& disk, const ApplyArguments& arguments, std::stop_token stop) {
  TRY_ASSIGN(bool bsdiff40, is_bsdiff40_file(disk, arguments.delivery));
  if (bsdiff40) return apply_bsdiff40_file(disk, arguments);
  TRY_ASSIGN(Inspection inspection, inspect(disk, arguments.delivery));
  if (!inspection.listing) {
    return Error{Code::kUnsupported,
                 arguments.delivery + " has no listing of its target: it is for a node"};
  }
  TRY_ASSIGN(TreeOnDisk base,
             open_tree(disk, arguments.old_tree, Side::kBase, arguments.threads, stop));
  bool single = is_single_file(*inspection.listing);
  Path out = arguments.out;
  if (out.filename().empty()) out = out.parent_path();
  TRY_ASSIGN(auto existing, disk.stat(out));
  if (existing) return Error{Code::kExists, arguments.out + " exists"};
  Path tree = single ? out.parent_path() / ("." + out.filename().string() + ".tree") : out;
  if (single) TRY(disk.remove_tree(tree));
  ApplyOptions options;
  options.threads = arguments.threads;
  options.max_memory_bytes = arguments.max_memory_bytes;
  options.base_is_file = base.single_file;
  auto applied =
      apply_delivery(disk, arguments.delivery, base.listing, base.dir, *inspection.listing, tree,
                     options, terminal_progress("applying"), stop);
  end_progress();
  if (!applied.ok()) return applied.error();
  if (single) TRY(unwrap(disk, tree, out));
  print(arguments, *applied);
  return ok();
}

}  // namespace lineside::delta::cli
