// SPDX-License-Identifier: Apache-2.0
#include "node/bundle_files.h"

#include "node/kept_roots.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::node {
namespace {

using trust::Listing;
using trust::Manifest;
using trust::TreeId;

Path manifest_file(const Path& state, const Digest& manifest) {
  return state / "manifests" / (manifest.hex() + ".json");
}
Path listing_file(const Path& state, const TreeId& tree) {
  return state / "listings" / (tree.hex() + ".listing");
}

Result<Bytes> read_named(const Disk& disk, const Path& file, const Digest& digest,
                         std::uint64_t max_bytes) {
  TRY_ASSIGN(Bytes bytes, disk.read(file, max_bytes));
  if (sha256(bytes) != digest) {
    return Error{Code::kMismatch, file.string() + " is not what its name says"};
  }
  return bytes;
}

// One target of the vendor's repository, of exactly this digest.
Result<Bytes> download(Disk& disk, const Path& state, GatewayLink& link, const std::string& name,
                       const Digest& digest, std::uint64_t max_bytes, UtcTime now) {
  const Path folder = state / "trust" / "vendor";
  KeptRoots kept(disk, folder, link.vendor_metadata());
  trust::Updater updater(disk, folder, kept, now);
  TRY(updater.load());
  auto refreshed = updater.refresh();
  if (!refreshed.ok()) return refreshed.error().with("vendor metadata");
  TRY_ASSIGN(auto target, updater.find(name));
  if (!target) return Error{Code::kNotFound, "the vendor vouches for no " + name};
  if (target->sha256() != digest) {
    return Error{Code::kMismatch, name + " of the vendor is not the one that was asked for"};
  }
  if (target->length > max_bytes) return Error{Code::kTooLarge, name + " is too large"};
  TRY_ASSIGN(Bytes bytes, updater.download(*target, link.vendor_targets()));
  if (sha256(bytes) != digest) return Error{Code::kMismatch, name};
  return bytes;
}

Result<void> keep(Disk& disk, const Path& file, BytesView bytes) {
  TRY(disk.make_dirs(file.parent_path()));
  return disk.replace(file, bytes);
}

Result<void> remove_others(Disk& disk, const Path& dir, const std::set<std::string>& keep_names) {
  TRY_ASSIGN(auto info, disk.stat(dir));
  if (!info) return ok();
  TRY_ASSIGN(auto entries, disk.list(dir));
  for (const DirEntry& entry : entries) {
    if (keep_names.count(entry.name) == 0) TRY(disk.remove(dir / entry.name));
  }
  return ok();
}

}  // namespace

Result<Manifest> stored_manifest(const Disk& disk, const Path& state, const Digest& manifest) {
  TRY_ASSIGN(Bytes bytes,
             read_named(disk, manifest_file(state, manifest), manifest, trust::kMaxManifestBytes));
  return trust::parse_manifest(bytes);
}

Result<Listing> stored_listing(const Disk& disk, const Path& state, const TreeId& tree) {
  if (tree == sha256({})) return Listing{};
  trust::ListingLimits limits;
  TRY_ASSIGN(Bytes bytes, read_named(disk, listing_file(state, tree), tree, limits.max_bytes));
  return trust::parse_listing(bytes, limits);
}

Result<void> refresh_vendor(Disk& disk, const Path& state, GatewayLink& link, UtcTime now) {
  const Path folder = state / "trust" / "vendor";
  KeptRoots kept(disk, folder, link.vendor_metadata());
  trust::Updater updater(disk, folder, kept, now);
  TRY(updater.load());
  return updater.refresh();
}

Result<Manifest> fetch_manifest(Disk& disk, const Path& state, GatewayLink& link,
                                const trust::Directive& directive, UtcTime now) {
  auto held = stored_manifest(disk, state, directive.manifest);
  if (held.ok()) return held;
  TRY_ASSIGN(Bytes bytes, download(disk, state, link, directive.bundle, directive.manifest,
                                   trust::kMaxManifestBytes, now));
  TRY_ASSIGN(Manifest manifest, trust::parse_manifest(bytes));
  if (manifest.target_name() != directive.bundle) {
    return Error{Code::kMismatch, directive.bundle + " calls itself " + manifest.target_name()};
  }
  TRY(keep(disk, manifest_file(state, directive.manifest), bytes));
  return manifest;
}

Result<Listing> fetch_listing(Disk& disk, const Path& state, GatewayLink& link,
                              const Manifest& manifest, UtcTime now) {
  auto held = stored_listing(disk, state, manifest.tree);
  if (held.ok()) return held;
  TRY_ASSIGN(Bytes bytes, download(disk, state, link, manifest.listing_name(), manifest.tree,
                                   manifest.listing_length, now));
  if (bytes.size() != manifest.listing_length) {
    return Error{Code::kMismatch, manifest.listing_name() + " has another length than signed"};
  }
  TRY_ASSIGN(Listing listing, trust::parse_listing(bytes));
  TRY(keep(disk, listing_file(state, manifest.tree), bytes));
  return listing;
}

Result<void> collect_bundle_files(Disk& disk, const Path& state, const std::set<Digest>& manifests,
                                  const std::set<TreeId>& trees) {
  std::set<std::string> names;
  for (const Digest& manifest : manifests) names.insert(manifest.hex() + ".json");
  TRY(remove_others(disk, state / "manifests", names));
  names.clear();
  for (const TreeId& tree : trees) names.insert(tree.hex() + ".listing");
  return remove_others(disk, state / "listings", names);
}

}  // namespace lineside::node
