// SPDX-License-Identifier: Apache-2.0
// lineside-tuf: a bare TUF client over the class that gateway and nodes use.
//
//     lineside-tuf --metadata-dir D init ROOT
//     lineside-tuf --metadata-url U --metadata-dir D refresh
//     lineside-tuf --metadata-url U --metadata-dir D --target-name N… --target-dir T
//                  --target-base-url B download
//
// A URL is http:, https: or the path of a folder. Exit status 0 or 1. A target is stored under its
// name, percent-encoded as a whole, so that no name leaves the folder; one that is there and
// matches is kept.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/http/fetcher.h"
#include "proto/trust/tuf/names.h"
#include "proto/trust/tuf/updater.h"

namespace lineside {
namespace {

constexpr std::uint64_t kMaxRootBytes = 512ULL << 10;
constexpr std::uint64_t kMaxTargetBytes = 1ULL << 30;  // a target is held in memory

struct Options {
  std::string metadata_dir;
  std::string metadata_url;
  std::vector<std::string> target_names;
  std::string target_dir;
  std::string target_base_url;
  std::string root_file;
};

// A fetcher and what it stands on.
struct Source {
  std::unique_ptr<http::Client> client;
  std::unique_ptr<trust::Fetcher> fetcher;
};

Result<Source> open_source(const Disk& disk, const std::string& url) {
  Source source;
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    source.fetcher = std::make_unique<http::DirectoryFetcher>(disk, url);
    return source;
  }
  http::ClientOptions options;
  options.base_url = url;
  options.max_body_bytes = kMaxTargetBytes;
  TRY_ASSIGN(http::Client client, http::Client::make(std::move(options)));
  source.client = std::make_unique<http::Client>(std::move(client));
  source.fetcher = std::make_unique<http::HttpFetcher>(*source.client);
  return source;
}

Result<void> init(Disk& disk, const Options& options) {
  TRY_ASSIGN(Bytes root, disk.read(options.root_file, kMaxRootBytes));
  return trust::Updater::init(disk, options.metadata_dir, root);
}

Result<void> refresh(Disk& disk, const Options& options) {
  TRY_ASSIGN(Source metadata, open_source(disk, options.metadata_url));
  trust::Updater updater(disk, options.metadata_dir, *metadata.fetcher, SystemClock().now());
  TRY(updater.load());
  return updater.refresh();
}

Result<void> download_one(Disk& disk, trust::Updater& updater, trust::Fetcher& base,
                          const Options& options, const std::string& name) {
  TRY_ASSIGN(auto target, updater.find(name));
  if (!target) return Error{Code::kNotFound, "no trusted role names the target " + name};
  Path file = Path(options.target_dir) / trust::tuf::file_name(name);
  auto present = disk.read(file, target->length);
  if (present.ok() && trust::verify_target(*target, *present).ok()) return ok();
  TRY_ASSIGN(Bytes content, updater.download(*target, base));
  return disk.replace(file, content);
}

Result<void> download(Disk& disk, const Options& options) {
  TRY_ASSIGN(Source metadata, open_source(disk, options.metadata_url));
  TRY_ASSIGN(Source base, open_source(disk, options.target_base_url));
  trust::Updater updater(disk, options.metadata_dir, *metadata.fetcher, SystemClock().now());
  TRY(updater.load());
  TRY(updater.refresh());
  for (const std::string& name : options.target_names) {
    TRY(download_one(disk, updater, *base.fetcher, options, name));
  }
  return ok();
}

int report(const Result<void>& result) {
  if (result.ok()) return 0;
  std::fprintf(stderr, "lineside-tuf: %s\n", result.error().describe().c_str());
  return 1;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("A TUF client: verified metadata and targets of a repository", "lineside-tuf");
  app.require_subcommand(1);
  app.add_option("--metadata-dir", options.metadata_dir, "Folder of trusted metadata")->required();
  app.add_option("--metadata-url", options.metadata_url, "Where the repository's metadata is");
  app.add_option("--target-name", options.target_names, "Target to download; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--target-dir", options.target_dir, "Folder for downloaded targets");
  app.add_option("--target-base-url", options.target_base_url, "Where the targets are");
  auto* init_command = app.add_subcommand("init", "Trust a root file, once");
  init_command->add_option("ROOT", options.root_file, "The root file")->required();
  auto* refresh_command = app.add_subcommand("refresh", "Fetch and verify the newest metadata");
  auto* download_command = app.add_subcommand("download", "Refresh, then fetch the named targets");
  CLI11_PARSE(app, argc, argv);

  auto disk = make_posix_disk();
  if (init_command->parsed()) return report(init(*disk, options));
  if (options.metadata_url.empty()) {
    return report(Error{Code::kUsage, "--metadata-url is missing"});
  }
  if (refresh_command->parsed()) return report(refresh(*disk, options));
  if (download_command->parsed() && (options.target_names.empty() || options.target_dir.empty() ||
                                     options.target_base_url.empty())) {
    return report(
        Error{Code::kUsage, "download needs --target-name, --target-dir and --target-base-url"});
  }
  return report(download(*disk, options));
}

}  // namespace
}  // namespace lineside

int main(int argc, char** argv) {
  return lineside::run(argc, argv) == 0 ? 0 : 1;
}
