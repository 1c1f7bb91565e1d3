// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/verify_origin.h"

#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "proto/http/fetcher.h"
#include "proto/trust/listing.h"
#include "proto/trust/manifest.h"
#include "proto/trust/merkle.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::bundler {
namespace {

constexpr std::uint64_t kMaxRootBytes = 512'000;

// A folder for the metadata that a first visitor has not yet.
class Scratch {
 public:
  explicit Scratch(Disk& disk) : disk_(disk) {
    std::string name = (std::filesystem::temp_directory_path() / "lineside-verify-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Scratch() {
    if (!path_.empty()) (void)disk_.remove_tree(path_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Disk& disk_;
  Path path_;
};

bool is_manifest(const std::string& name) {
  return name.ends_with(".json");
}

Result<std::uint64_t> verify_bundle(Disk& disk, const Path& origin, trust::Updater& updater,
                                    trust::Fetcher& targets, const trust::TargetInfo& target) {
  TRY_ASSIGN(Bytes bytes, updater.download(target, targets));
  TRY_ASSIGN(trust::Manifest manifest, trust::parse_manifest(bytes));
  TRY_ASSIGN(auto listing, updater.find(manifest.listing_name()));
  if (!listing) return Error{Code::kNotFound, "no target " + manifest.listing_name()};
  TRY_ASSIGN(Bytes listing_bytes, updater.download(*listing, targets));
  if (sha256(listing_bytes) != manifest.tree) {
    return Error{Code::kMismatch, manifest.listing_name() + " is not the tree of the manifest"};
  }
  TRY(trust::parse_listing(listing_bytes));
  for (const trust::Delivery& delivery : manifest.deliveries) {
    TRY_ASSIGN(auto file, disk.open(origin / "deliveries" / delivery.root.hex()));
    TRY_ASSIGN(auto facts, trust::hash_file(*file, std::thread::hardware_concurrency()));
    if (facts.length != delivery.length || facts.root != delivery.root) {
      return Error{Code::kMismatch, "delivery " + delivery.root.hex() + " has other bytes"};
    }
  }
  return manifest.deliveries.size();
}

}  // namespace

Result<OriginReport> verify_origin(Disk& disk, const Path& origin, const Path& root, UtcTime now) {
  Scratch scratch(disk);
  if (scratch.path().empty()) return Error{Code::kIo, "cannot create a temporary folder"};
  TRY_ASSIGN(Bytes root_bytes, disk.read(root, kMaxRootBytes));
  TRY(trust::Updater::init(disk, scratch.path(), root_bytes));
  http::DirectoryFetcher metadata(disk, origin / "metadata");
  http::DirectoryFetcher targets(disk, origin / "targets");
  trust::Updater updater(disk, scratch.path(), metadata, now);
  TRY(updater.load());
  TRY(updater.refresh());
  OriginReport report;
  for (const trust::TargetInfo& target : updater.targets()) {
    if (!is_manifest(target.name)) {
      TRY(updater.download(target, targets));
      continue;
    }
    auto count = verify_bundle(disk, origin, updater, targets, target);
    if (!count.ok()) return count.error().with(target.name);
    report.deliveries += *count;
    report.bundles.push_back(target.name);
  }
  return report;
}

}  // namespace lineside::bundler
