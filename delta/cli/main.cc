// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "delta/cli/commands.h"
#include "delta/cli/session.h"

namespace lineside::delta::cli {
namespace {

constexpr const char* kFooter =
    R"(OLD and NEW are both folders or both files; /dev/null is the empty tree.
OUT must not exist and appears whole or not at all.

Exit status: 0 done; 1 wrong usage; 2 refused (the delivery is damaged, is none, needs too
much memory or was made from another OLD); 3 the disk failed; 130 stopped by a signal.)";

struct Arguments {
  DiffArguments diff;
  ApplyArguments apply;
  InfoArguments info;
  unsigned memory_mib = 16;
  unsigned max_memory_mib = 64;
  bool zstd_only = false;
};

void add_diff(CLI::App& app, Arguments& all) {
  CLI::App* sub = app.add_subcommand("diff", "make a delivery that takes OLD to NEW");
  sub->add_option("OLD", all.diff.old_tree)->required();
  sub->add_option("NEW", all.diff.new_tree)->required();
  sub->add_option("OUT", all.diff.out)->required();
  const std::map<std::string, int> efforts{{"fast", 1}, {"default", 2}, {"best", 3}};
  sub->add_option("--effort", all.diff.make.effort, "time for size")
      ->transform(CLI::CheckedTransformer(efforts))
      ->default_str("default");
  sub->add_flag("--zstd-only", all.zstd_only, "no LZMA: 3 to 5 times cheaper to apply");
  sub->add_option("--memory", all.memory_mib, "MiB that applying may take")
      ->check(CLI::Range(8, 1024))
      ->capture_default_str();
  sub->add_option("--threads", all.diff.make.threads)->check(CLI::Range(1, 256));
  std::map<std::string, PatchFormat> formats{{"lineside", PatchFormat::kDelivery},
                                             {"bsdiff40", PatchFormat::kBsdiff40}};
  sub->add_option("--format", all.diff.format, "lineside, or bsdiff40 for bspatch (files only)")
      ->transform(CLI::CheckedTransformer(formats));
  sub->add_flag("--json", all.diff.json, "print the result as JSON");
}

void add_apply(CLI::App& app, Arguments& all) {
  CLI::App* sub = app.add_subcommand("apply", "make OUT from OLD and a delivery or BSDIFF40 patch");
  sub->add_option("OLD", all.apply.old_tree)->required();
  sub->add_option("DELIVERY", all.apply.delivery)->required();
  sub->add_option("OUT", all.apply.out)->required();
  sub->add_option("--max-memory", all.max_memory_mib, "MiB; a delivery that needs more is refused")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  sub->add_option("--threads", all.apply.threads)->check(CLI::Range(1, 256));
  sub->add_flag("--json", all.apply.json, "print the result as JSON");
}

void add_info(CLI::App& app, Arguments& all) {
  CLI::App* sub = app.add_subcommand("info", "say what a delivery consists of");
  sub->add_option("DELIVERY", all.info.delivery)->required();
  sub->add_option("--old", all.info.old_tree, "the tree it was made from: names the files");
  sub->add_flag("--json", all.info.json, "print it as JSON");
}

int run(int argc, char** argv) {
  CLI::App app("Differences between files and between trees, small to send and cheap to apply.");
  app.name("lineside-delta");
  app.footer(kFooter);
  app.require_subcommand(1);
  Arguments all;
  add_diff(app, all);
  add_apply(app, all);
  add_info(app, all);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  all.diff.make.lzma = !all.zstd_only;
  all.diff.make.apply_memory_bytes = std::uint64_t{all.memory_mib} << 20;
  all.apply.max_memory_bytes = std::uint64_t{all.max_memory_mib} << 20;
  StopOnSignal signals;
  auto disk = make_posix_disk();
  Result<void> done = app.got_subcommand("diff")    ? diff(*disk, all.diff, signals.token())
                      : app.got_subcommand("apply") ? apply(*disk, all.apply, signals.token())
                                                    : info(*disk, all.info, signals.token());
  if (done.ok()) return kExitOk;
  fmt::print(stderr, "lineside-delta: {}\n", done.error().describe());
  return exit_status(done.error().code);
}

}  // namespace
}  // namespace lineside::delta::cli

int main(int argc, char** argv) {
  return lineside::delta::cli::run(argc, argv);
}
