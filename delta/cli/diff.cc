// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "delta/bsdiff40.h"
#include "delta/cli/commands.h"
#include "delta/cli/session.h"

namespace lineside::delta::cli {
namespace {

constexpr std::uint64_t kMaxBsdiffBytes = 16ULL << 30;

Result<void> diff_bsdiff40(Disk& disk, const DiffArguments& arguments, std::stop_token stop) {
  TRY_ASSIGN(auto existing, disk.stat(arguments.out));
  if (existing) return Error{Code::kExists, arguments.out + " exists"};
  TRY_ASSIGN(Bytes base, disk.read(arguments.old_tree, kMaxBsdiffBytes));
  TRY_ASSIGN(Bytes target, disk.read(arguments.new_tree, kMaxBsdiffBytes));
  TRY_ASSIGN(Bytes patch, make_bsdiff40(base, target, stop));
  TRY(disk.replace(arguments.out, patch));
  if (arguments.json) {
    nlohmann::json result{{"format", "bsdiff40"}, {"length", patch.size()}};
    fmt::print("{}\n", result.dump(2));
  } else {
    fmt::print("{}: {}\n", arguments.out, human_bytes(patch.size()));
  }
  return ok();
}

void print_json(const DeliverySummary& summary) {
  nlohmann::json files = nlohmann::json::array();
  for (const FileCost& file : summary.files) {
    files.push_back({{"path", file.path},
                     {"method", file.method},
                     {"base", file.base},
                     {"length", file.length},
                     {"bytes", file.bytes}});
  }
  nlohmann::json result{{"format", "lineside"},
                        {"length", summary.length},
                        {"root", summary.root.hex()},
                        {"apply_memory", summary.apply_memory_bytes},
                        {"files", files}};
  fmt::print("{}\n", result.dump(2));
}

void print_text(const DiffArguments& arguments, const DeliverySummary& summary) {
  std::uint64_t whole = 0;
  std::uint64_t coded = 0;
  for (const FileCost& file : summary.files) {
    whole += file.length;
    if (file.method != "same" && file.method != "twin" && file.method != "empty") ++coded;
  }
  fmt::print("{}: {} for {} in {} files, {} of them changed or new; applying takes {} of memory\n",
             arguments.out, human_bytes(summary.length), human_bytes(whole), summary.files.size(),
             coded, human_bytes(summary.apply_memory_bytes));
}

}  // namespace

Result<void> diff(Disk& disk, const DiffArguments& arguments, std::stop_token stop) {
  if (arguments.format == PatchFormat::kBsdiff40) return diff_bsdiff40(disk, arguments, stop);
  unsigned threads = arguments.make.threads;
  TRY_ASSIGN(TreeOnDisk base, open_tree(disk, arguments.old_tree, Side::kBase, threads, stop));
  TRY_ASSIGN(TreeOnDisk target, open_tree(disk, arguments.new_tree, Side::kTarget, threads, stop));
  TRY(check_alike(base, target));
  MakeOptions options = arguments.make;
  options.embed_listing = true;
  auto made =
      make_delivery(options, disk, base, target, arguments.out, terminal_progress("coding"), stop);
  end_progress();
  if (!made.ok()) return made.error();
  if (arguments.json) {
    print_json(*made);
  } else {
    print_text(arguments, *made);
  }
  return ok();
}

}  // namespace lineside::delta::cli
