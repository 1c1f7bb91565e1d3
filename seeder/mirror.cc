// SPDX-License-Identifier: Apache-2.0
#include "seeder/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "seeder/mirror_source.h"

namespace lineside::seeder {
Mirror::Mirror(Disk& disk, Path dir, BundleStore& bundles, RolloutStore& counters, Origin& origin,
               Clock& clock, MirrorOptions options)
    : disk_(disk),
      dir_(std::move(dir)),
      bundles_(bundles),
      counters_(counters),
      origin_(origin),
      clock_(clock),
      options_(options) {}

Mirror Mirror::fed_from(Origin& origin) const {
  Mirror other(disk_, dir_, bundles_, counters_, origin, clock_, options_);
  other.tell_ = tell_;
  return other;
}

Result<void> Mirror::prepare(BytesView vendor_root) {
  for (const char* folder : {"trust", "metadata", "targets"}) TRY(disk_.make_dirs(dir_ / folder));
  TRY_ASSIGN(auto present, disk_.stat(dir_ / "trust" / "root.json"));
  TRY(trust::Updater::anchor(disk_, dir_ / "trust", vendor_root));
  NoNetwork none;
  trust::Updater updater(disk_, dir_ / "trust", none, clock_.now());
  Result<void> loaded = updater.load();
  if (!loaded.ok()) return loaded.error().with("vendor's root");
  if (present) return ok();
  return disk_.replace(metadata_dir() / fmt::format("{}.root.json", updater.version("root")),
                       vendor_root);
}

// What serves no release is counted but never refused: without a fresh timestamp the whole site
// stands still, and nothing would ever set that count back.
Result<std::uint64_t> Mirror::budget_left(const std::string& release) const {
  if (options_.budget == 0 || release.empty() || !origin_.crosses_wan()) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  TRY_ASSIGN(WanBytes used, counters_.wan(release));
  TRY_ASSIGN(std::uint64_t allowed, counters_.wan_allowed(release));
  std::uint64_t most = options_.budget + allowed;
  return most - std::min(most, used.payload + used.metadata);
}

Result<void> Mirror::check_budget(const std::string& release, std::uint64_t more) const {
  TRY_ASSIGN(std::uint64_t left, budget_left(release));
  if (more <= left) return ok();
  return Error{Code::kBudget,
               fmt::format("{1} bytes more than its WAN budget of {2} are needed: `lineside allow "
                           "{0} {1}` lets them across ({3} are left, {4} still to come)",
                           release.substr(0, release.rfind(".json")), more - left, options_.budget,
                           left, more)};
}

Result<void> Mirror::refresh(const std::string& release, std::stop_token stop) {
  Source source(*this, "metadata/", release, std::move(stop));
  trust::Updater updater(disk_, dir_ / "trust", source, clock_.now());
  TRY(updater.load());
  Result<void> refreshed = updater.refresh();
  // Roots that were accepted on the way are kept even if the rest failed: nodes need the whole
  // chain.
  for (const auto& [name, bytes] : source.received()) {
    bool is_root = name.ends_with(".root.json");
    if (is_root && std::atoll(name.c_str()) <= updater.version("root")) {
      TRY(disk_.replace(metadata_dir() / name, bytes));
    }
  }
  TRY(std::move(refreshed));
  // Timestamp last, so that a reader never sees a broken repository (TUF specification, section 6).
  for (const char* role : {"targets", "snapshot"}) {
    TRY_ASSIGN(Bytes bytes, updater.bytes(role));
    TRY(disk_.replace(metadata_dir() / fmt::format("{}.{}.json", updater.version(role), role),
                      bytes));
  }
  TRY_ASSIGN(Bytes timestamp, updater.bytes("timestamp"));
  return disk_.replace(metadata_dir() / "timestamp.json", timestamp);
}

Catalogue Mirror::catalogue() const {
  NoNetwork none;
  trust::Updater updater(disk_, dir_ / "trust", none, clock_.now());
  Catalogue found;
  if (!updater.load().ok()) return found;
  std::set<std::string> here;
  std::vector<trust::TargetInfo> targets = updater.targets();
  for (const trust::TargetInfo& info : targets) {
    auto present = disk_.stat(targets_dir() / updater.repository_name(info));
    if (present.ok() && present->has_value()) here.insert(info.name);
  }
  for (const trust::TargetInfo& info : targets) {
    if (!info.name.ends_with(".json")) continue;
    KnownBundle& bundle = found[info.name];
    bundle.length = info.length;
    Result<Bytes> bytes = disk_.read(targets_dir() / updater.repository_name(info), info.length);
    if (!bytes.ok() || sha256(*bytes) != info.sha256()) continue;
    Result<trust::Manifest> manifest = trust::parse_manifest(*bytes);
    if (!manifest.ok()) continue;
    bundle.mirrored = here.contains(manifest->listing_name());
    bundle.manifest = std::move(*manifest);
  }
  return found;
}

// From the mirror if it is there and whole, else from the origin into the mirror.
Result<Bytes> Mirror::target(trust::Updater& updater, const std::string& name, Source& source) {
  TRY_ASSIGN(auto info, updater.find(name));
  if (!info) return Error{Code::kNotFound, "the vendor does not list " + name};
  Path file = targets_dir() / updater.repository_name(*info);
  Result<Bytes> here = disk_.read(file, info->length);
  if (here.ok() && here->size() == info->length && sha256(*here) == info->sha256()) return here;
  TRY_ASSIGN(Bytes bytes, updater.download(*info, source));
  TRY(disk_.make_dirs(file.parent_path()));
  TRY(disk_.replace(file, bytes));
  return bytes;
}

Result<MirroredBundle> Mirror::bundle(const std::string& name, std::stop_token stop) {
  return bundle_for(name, name, std::move(stop));
}

Result<MirroredBundle> Mirror::bundle_for(const std::string& release, const std::string& name,
                                          std::stop_token stop) {
  Source metadata(*this, "metadata/", release, stop);
  Source targets(*this, "targets/", release, stop);
  trust::Updater updater(disk_, dir_ / "trust", metadata, clock_.now());
  TRY(updater.load());
  MirroredBundle bundle;
  bundle.name = name;
  TRY_ASSIGN(Bytes bytes, target(updater, name, targets));
  bundle.manifest_digest = sha256(bytes);
  TRY_ASSIGN(bundle.manifest, trust::parse_manifest(bytes));
  if (bundle.manifest.target_name() != name) {
    return Error{Code::kMismatch, name + " calls itself " + bundle.manifest.target_name()};
  }
  TRY_ASSIGN(bundle.listing, target(updater, bundle.manifest.listing_name(), targets));
  if (sha256(bundle.listing) != bundle.manifest.tree) {
    return Error{Code::kMismatch, bundle.manifest.listing_name() + " is not the manifest's tree"};
  }
  // Delegated roles that named it: nodes need them too.
  for (const auto& [file, content] : metadata.received()) {
    TRY(disk_.replace(metadata_dir() / file, content));
  }
  return bundle;
}

}  // namespace lineside::seeder
