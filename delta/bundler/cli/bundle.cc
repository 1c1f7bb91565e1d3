// SPDX-License-Identifier: Apache-2.0
// lineside-bundle audit and pack
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "delta/bundler/cli/session.h"
#include "delta/bundler/packed.h"

namespace lineside::bundler::cli {
namespace {

// A folder is audited as a tree; a file is a bundle.toml that names one.
Result<BundleFile> bundle_of(const Session& session, const std::string& path) {
  TRY_ASSIGN(auto info, session.disk.stat(path));
  if (!info || info->type != FileType::kDirectory) return load_bundle_file(session.disk, path);
  BundleFile bundle;
  bundle.tree = path;
  return bundle;
}

void print_finding(const runtime::Finding& finding) {
  fmt::print("{}\n", runtime::line_of(finding));
  if (finding.severity != runtime::Severity::kError) return;
  if (!finding.advice.empty()) fmt::print("    {}\n", finding.advice);
  fmt::print("    rule {}, subject {}\n", finding.rule, finding.subject);
}

// Errors and what was waived one by one; warnings of one rule as one line when there are many,
// since a page of warnings hides the error above it.
void print_folded(const std::vector<runtime::Finding>& findings, bool verbose) {
  constexpr std::size_t kMany = 3;
  std::map<std::string, std::vector<const runtime::Finding*>> warnings;
  for (const auto& finding : findings) {
    if (finding.severity == runtime::Severity::kWarning && !verbose) {
      warnings[finding.rule].push_back(&finding);
    } else {
      print_finding(finding);
    }
  }
  for (const auto& [rule, list] : warnings) {
    if (list.size() <= kMany) {
      for (const auto* finding : list) print_finding(*finding);
    } else {
      fmt::print("warning: {} findings of rule {} (--verbose shows them), the first: {}\n",
                 list.size(), rule, list.front()->message);
    }
  }
}

void print_findings(const Session& session, const Audited& audited, bool verbose) {
  if (session.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& finding : audited.findings) list.push_back(runtime::finding_json(finding));
    fmt::print("{}\n", list.dump());
    return;
  }
  print_folded(audited.findings, verbose);
  const runtime::Inventory& found = audited.inventory;
  auto errors = std::count_if(audited.findings.begin(), audited.findings.end(), [](const auto& f) {
    return f.severity == runtime::Severity::kError;
  });
  fmt::print("{} packages, {} models, {} native objects, {} files hashed: {} errors\n",
             found.packages.size(), found.models.size(), found.objects.size(), found.files_hashed,
             errors);
}

struct Pack {
  std::string file;
  std::string out;
  std::vector<std::string> bases;
  bool zstd_only = false;
  bool verbose = false;
  std::string effort = "default";
};

void print_packed(const Session& session, const Pack& options, const Audited& audited,
                  const Packed& packed) {
  const trust::Manifest& manifest = packed.manifest;
  nlohmann::json list = nlohmann::json::array();
  for (const PackedDelivery& delivery : packed.deliveries) {
    std::string from = delivery.base.empty() ? "nothing" : Path(delivery.base).filename().string();
    list.push_back({{"base", delivery.base},
                    {"bytes", delivery.summary.length},
                    {"root", delivery.summary.root.hex()},
                    {"apply_memory_bytes", delivery.summary.apply_memory_bytes}});
    if (!session.json) {
      fmt::print("  delivery from {:<12} {:>10}\n", from, human_bytes(delivery.summary.length));
    }
  }
  if (session.json) {
    nlohmann::json out = {{"bundle", manifest.target_name()},
                          {"tree", manifest.tree.hex()},
                          {"tree_bytes", manifest.tree_length},
                          {"audit_findings", audited.findings.size()},
                          {"deliveries", list}};
    fmt::print("{}\n", out.dump());
  } else {
    fmt::print("packed {} {} ({}) to {}\n", manifest.name, manifest.version,
               human_bytes(manifest.tree_length), options.out);
  }
}

Result<void> pack_command(Session& session, const Pack& options) {
  TRY_ASSIGN(BundleFile bundle, load_bundle_file(session.disk, options.file));
  TRY_ASSIGN(auto taken, session.disk.stat(options.out));  // before the audit's minute of work
  if (taken) return Error{Code::kExists, options.out + " exists; a packed bundle is not changed"};
  TRY_ASSIGN(Audited audited, audit_tree(session.disk, bundle, session.clock.now(),
                                         std::max(1U, std::thread::hardware_concurrency())));
  if (!session.json) print_findings(session, audited, options.verbose);
  PackOptions pack_options;
  pack_options.threads = std::max(1U, std::thread::hardware_concurrency());
  pack_options.delivery.threads = pack_options.threads;
  pack_options.delivery.lzma = !options.zstd_only;
  pack_options.delivery.effort = options.effort == "fast" ? 1 : options.effort == "best" ? 3 : 2;
  for (const std::string& base : options.bases) pack_options.bases.emplace_back(base);
  TRY_ASSIGN(Packed packed,
             pack(session.disk, bundle, audited, options.out, pack_options, show_progress));
  end_progress();
  print_packed(session, options, audited, packed);
  return ok();
}

}  // namespace

void add_bundle_commands(CLI::App& app, Session& session) {
  auto path = std::make_shared<std::string>();
  auto verbose = std::make_shared<bool>(false);
  CLI::App* audit = app.add_subcommand(
      "audit", "does firmware, ML runtime and models fit together? exit status 1 if not");
  audit->add_option("BUNDLE", *path, "bundle.toml, or the folder of a tree")
      ->required()
      ->check(CLI::ExistingPath);
  audit->add_flag("--verbose", *verbose, "every warning on a line of its own");
  audit->callback([path, verbose, &session] {
    session.run([&]() -> Result<void> {
      TRY_ASSIGN(BundleFile bundle, bundle_of(session, *path));
      TRY_ASSIGN(Audited audited, audit_tree(session.disk, bundle, session.clock.now(),
                                             std::max(1U, std::thread::hardware_concurrency())));
      print_findings(session, audited, *verbose);
      if (!runtime::passes(audited.findings)) session.status = kFailed;
      return ok();
    });
  });

  auto options = std::make_shared<Pack>();
  CLI::App* make = app.add_subcommand("pack", "audit a bundle and make its deliveries");
  make->add_option("BUNDLE", options->file, "bundle.toml")->required()->check(CLI::ExistingFile);
  make->add_option("--out", options->out, "folder to make; publish takes it from there")
      ->required();
  make->add_option("--base", options->bases,
                   "tree of an earlier version that sites may run; once for each")
      ->allow_extra_args(false)
      ->check(CLI::ExistingDirectory);
  make->add_flag("--verbose", options->verbose, "every warning of the audit on a line of its own");
  make->add_flag("--zstd-only", options->zstd_only, "for devices to which LZMA costs too much");
  make->add_option("--effort", options->effort, "time for size")
      ->check(CLI::IsMember({"fast", "default", "best"}));
  make->callback(
      [options, &session] { session.run([&] { return pack_command(session, *options); }); });
}

}  // namespace lineside::bundler::cli
