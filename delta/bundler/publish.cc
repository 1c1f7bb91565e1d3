// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/publish.h"

#include <fmt/format.h>

#include <functional>
#include <thread>

#include "delta/bundler/packed.h"
#include "proto/trust/listing.h"
#include "proto/trust/merkle.h"

namespace lineside::bundler {
namespace {

constexpr std::uint64_t kMaxListingBytes = 256ULL << 20;
constexpr std::uint64_t kMaxReportBytes = 64ULL << 20;
constexpr std::size_t kCopyBytes = 1 << 20;

struct Contents {
  Bytes manifest_bytes;
  Bytes listing_bytes;
  Bytes audit_bytes;
  Bytes sbom_bytes;
  trust::Manifest manifest;
};

Result<Contents> read_packed(const Disk& disk, const Path& packed) {
  Contents contents;
  TRY_ASSIGN(contents.manifest_bytes, disk.read(packed / kManifestFile, trust::kMaxManifestBytes));
  TRY_ASSIGN(contents.manifest, trust::parse_manifest(contents.manifest_bytes));
  TRY_ASSIGN(contents.listing_bytes, disk.read(packed / kListingFile, kMaxListingBytes));
  if (contents.listing_bytes.size() != contents.manifest.listing_length ||
      sha256(contents.listing_bytes) != contents.manifest.tree) {
    return Error{Code::kMismatch, (packed / kListingFile).string() + " is not the listing that " +
                                      std::string(kManifestFile) + " names; pack again"};
  }
  TRY_ASSIGN(contents.audit_bytes, disk.read(packed / kAuditFile, kMaxReportBytes));
  TRY_ASSIGN(contents.sbom_bytes, disk.read(packed / kSbomFile, kMaxReportBytes));
  return contents;
}

Result<bool> is_delivery(const Disk& disk, const Path& path, const trust::Delivery& delivery) {
  TRY_ASSIGN(auto present, disk.stat(path));
  if (!present || present->size != delivery.length) return false;
  TRY_ASSIGN(auto file, disk.open(path));
  TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*file, std::thread::hardware_concurrency()));
  return facts.root == delivery.root;
}

Result<void> check_delivery(const Disk& disk, const Path& path, const trust::Delivery& delivery) {
  TRY_ASSIGN(auto file, disk.open(path));
  TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*file, std::thread::hardware_concurrency()));
  if (facts.length == delivery.length && facts.root == delivery.root) return ok();
  std::string why = facts.length == delivery.length
                        ? fmt::format("its root is {}", facts.root.hex())
                        : fmt::format("{} bytes, {} expected", facts.length, delivery.length);
  return Error{Code::kMismatch,
               path.string() + " is not the delivery that the manifest names: " + why};
}

Result<void> copy_bytes(Disk& disk, const Path& from, const Path& to) {
  TRY_ASSIGN(auto source, disk.open(from));
  TRY_ASSIGN(auto target, disk.create(to, 0644));
  Bytes buffer(kCopyBytes);
  for (std::uint64_t at = 0; at < source->size();) {
    TRY_ASSIGN(std::size_t count, source->read_at(at, buffer));
    if (count == 0) return Error{Code::kIo, from.string() + " became shorter while it was read"};
    TRY(target->append(BytesView(buffer).first(count)));
    at += count;
  }
  return target->sync();
}

Result<void> copy_durably(Disk& disk, const Path& from, const Path& to) {
  Path fresh = to.string() + ".part";
  TRY(disk.remove(fresh));
  Result<void> copied = copy_bytes(disk, from, fresh);
  if (copied.ok()) copied = disk.rename(fresh, to);
  if (!copied.ok()) (void)disk.remove(fresh).ok();  // the first error is the one that matters
  return copied;
}

// A number that is used twice or goes back would be refused by every device that runs the newer
// one; here somebody can still do something about it. True if this very manifest is there already.
Result<bool> check_release(const trust::Repository& repository, const Contents& contents) {
  const trust::Manifest& mine = contents.manifest;
  TRY_ASSIGN(auto targets, repository.targets());
  const std::string prefix = mine.name + "/";
  for (const trust::TargetInfo& target : targets) {
    if (!target.name.starts_with(prefix) || !target.name.ends_with(".json")) continue;
    if (target.name == mine.target_name()) {
      if (target.sha256() == sha256(contents.manifest_bytes)) return true;
      return Error{Code::kConflict, fmt::format("{} {} is published already with other content; "
                                                "give what has changed another version",
                                                mine.name, mine.version)};
    }
  }
  for (const trust::TargetInfo& target : targets) {
    if (!target.name.starts_with(prefix) || !target.name.ends_with(".json")) continue;
    TRY_ASSIGN(Bytes bytes, repository.read_target(target));
    TRY_ASSIGN(trust::Manifest other, trust::parse_manifest(bytes));
    if (other.release >= mine.release) {
      return Error{
          Code::kConflict,
          fmt::format("{} {} is release {}, but {} is published as release {}; "
                      "a new release must have a higher number",
                      mine.name, mine.version, mine.release, other.version, other.release)};
    }
  }
  return false;
}

Result<std::uint64_t> add_deliveries(Disk& disk, const Path& packed, const Path& origin,
                                     const trust::Manifest& manifest) {
  std::uint64_t added = 0;
  TRY(disk.make_dirs(origin / kDeliveriesFolder));
  for (const trust::Delivery& delivery : manifest.deliveries) {
    Path to = origin / kDeliveriesFolder / delivery.root.hex();
    TRY_ASSIGN(bool present, is_delivery(disk, to, delivery));
    if (present) continue;
    TRY(copy_durably(disk, packed / kDeliveriesFolder / delivery.root.hex(), to));
    added += delivery.length;
  }
  return added;
}

// The reports are named beside the manifest, but not in it: who publishes a bundle again may have
// packed it on another day, and keeps what was said first.
std::vector<trust::NewTarget> targets_of(const Contents& contents, bool known) {
  const trust::Manifest& manifest = contents.manifest;
  const std::string stem = manifest.name + "/" + manifest.version;
  std::vector<trust::NewTarget> targets = {{manifest.target_name(), contents.manifest_bytes},
                                           {manifest.listing_name(), contents.listing_bytes}};
  if (known) return targets;
  targets.push_back({stem + std::string(kAuditSuffix), contents.audit_bytes});
  targets.push_back({stem + std::string(kSbomSuffix), contents.sbom_bytes});
  return targets;
}

using AddTargets =
    std::function<Result<void>(trust::Repository&, const std::vector<trust::NewTarget>&)>;

Result<Published> take_over(Disk& disk, const Path& packed, const Path& origin,
                            const AddTargets& add_targets) {
  TRY_ASSIGN(Contents contents, read_packed(disk, packed));
  trust::Repository repository(disk, origin);
  TRY_ASSIGN(bool known, check_release(repository, contents));
  for (const trust::Delivery& delivery : contents.manifest.deliveries) {
    TRY(check_delivery(disk, packed / kDeliveriesFolder / delivery.root.hex(), delivery));
  }
  Published published;
  TRY_ASSIGN(published.bytes_added, add_deliveries(disk, packed, origin, contents.manifest));
  std::vector<trust::NewTarget> targets = targets_of(contents, known);
  TRY(add_targets(repository, targets));
  for (const trust::NewTarget& target : targets) {
    if (!known) published.bytes_added += target.content.size();
  }
  published.manifest = std::move(contents.manifest);
  return published;
}

}  // namespace

Result<Published> publish(Disk& disk, const Path& packed, const Path& origin,
                          const std::vector<const trust::PrivateKey*>& keys,
                          const trust::Lifetimes& lifetimes, UtcTime now) {
  return take_over(disk, packed, origin, [&](trust::Repository& repository, const auto& targets) {
    return repository.publish(targets, keys, lifetimes, now);
  });
}

Result<Published> stage(Disk& disk, const Path& packed, const Path& origin,
                        const std::vector<const trust::PrivateKey*>& keys,
                        const trust::Lifetimes& lifetimes, UtcTime now) {
  return take_over(disk, packed, origin, [&](trust::Repository& repository, const auto& targets) {
    return repository.stage(targets, keys, lifetimes, now);
  });
}

}  // namespace lineside::bundler
