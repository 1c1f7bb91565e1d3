// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "delta/cli/commands.h"
#include "delta/cli/session.h"
#include "delta/inspect.h"

namespace lineside::delta::cli {
namespace {

void print_json(const Inspection& inspection) {
  nlohmann::json methods = nlohmann::json::array();
  for (const MethodShare& share : inspection.methods) {
    nlohmann::json streams = nlohmann::json::array();
    for (const StreamShare& stream : share.streams) {
      streams.push_back({{"stream", stream.name},
                         {"raw_bytes", stream.raw_bytes},
                         {"coded_bytes", stream.coded_bytes}});
    }
    methods.push_back({{"method", share.method},
                       {"units", share.units},
                       {"raw_bytes", share.raw_bytes},
                       {"coded_bytes", share.coded_bytes},
                       {"streams", streams}});
  }
  nlohmann::json files = nlohmann::json::array();
  for (const FileCost& file : inspection.files) {
    files.push_back({{"path", file.path},
                     {"method", file.method},
                     {"base", file.base},
                     {"length", file.length},
                     {"bytes", file.bytes}});
  }
  nlohmann::json result{{"version", inspection.version},
                        {"base", inspection.base.hex()},
                        {"target", inspection.target.hex()},
                        {"length", inspection.length},
                        {"index_bytes", inspection.index_bytes},
                        {"apply_memory", inspection.apply_memory_bytes},
                        {"methods", methods},
                        {"files", files}};
  fmt::print("{}\n", result.dump(2));
}

std::string bar(std::uint64_t part, std::uint64_t whole) {
  constexpr std::uint64_t kWidth = 20;
  return std::string(whole == 0 ? 0 : (part * kWidth + whole / 2) / whole, '#');
}

// Why a stream takes bytes, in words of the files.
std::string_view meaning_of(std::string_view stream) {
  if (stream == "literals") return "bytes that nothing in the base resembles";
  if (stream == "differences" || stream == "runs") return "changed bytes inside of what is alike";
  if (stream.starts_with("reference")) return "addresses that moved otherwise than predicted";
  if (stream == "layout") return "where the programs lie in memory";
  return "which parts are taken from where";
}

void print_text(const Inspection& inspection) {
  fmt::print("delivery, version {}\n", inspection.version);
  fmt::print("base    {}\n", inspection.base.hex());
  fmt::print("target  {}\n", inspection.target.hex());
  fmt::print("length  {}, {} of it header, index and listing\n", human_bytes(inspection.length),
             human_bytes(inspection.index_bytes));
  fmt::print("memory  {} to apply\n", human_bytes(inspection.apply_memory_bytes));
  for (const MethodShare& share : inspection.methods) {
    fmt::print("{:<17} {:>10} {:<20} for {:>10} in {} units\n", share.method,
               human_bytes(share.coded_bytes), bar(share.coded_bytes, inspection.length),
               human_bytes(share.raw_bytes), share.units);
    if (share.streams.size() < 2) continue;
    for (const StreamShare& stream : share.streams) {
      if (stream.coded_bytes == 0) continue;
      fmt::print("  {:<15} {:>10} {:<20} {}\n", stream.name, human_bytes(stream.coded_bytes),
                 bar(stream.coded_bytes, inspection.length), meaning_of(stream.name));
    }
  }
  std::vector<FileCost> files = inspection.files;
  std::stable_sort(files.begin(), files.end(),
                   [](const FileCost& a, const FileCost& b) { return a.bytes > b.bytes; });
  for (const FileCost& file : files) {
    if (file.method == "same") continue;
    fmt::print("{:>10} of {:>10}  {:<21} {}{}\n", human_bytes(file.bytes), human_bytes(file.length),
               file.method, file.path,
               file.base.empty() || file.base == file.path ? "" : " from " + file.base);
  }
}

}  // namespace

Result<void> info(const Disk& disk, const InfoArguments& arguments, std::stop_token stop) {
  TreeOnDisk base;
  if (!arguments.old_tree.empty()) {
    TRY_ASSIGN(base, open_tree(disk, arguments.old_tree, Side::kBase, 2, stop));
  }
  TRY_ASSIGN(Inspection inspection, inspect(disk, arguments.delivery,
                                            arguments.old_tree.empty() ? nullptr : &base.listing));
  if (arguments.json) {
    print_json(inspection);
  } else {
    print_text(inspection);
  }
  return ok();
}

}  // namespace lineside::delta::cli
