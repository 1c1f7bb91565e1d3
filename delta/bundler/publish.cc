// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/publish.h"

#include <fmt/format.h>

#include <thread>

#include "delta/bundler/packed.h"
#include "proto/trust/listing.h"
#include "proto/trust/merkle.h"

namespace lineside::bundler {
namespace {

constexpr std::uint64_t kMaxListingBytes = 256ULL << 20;
constexpr std::size_t kCopyBytes = 1 << 20;

struct Contents {
  Bytes manifest_bytes;
  Bytes listing_bytes;
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
  return contents;
}

Result<void> check_delivery(const Disk& disk, const Path& path, const trust::Delivery& delivery) {
  TRY_ASSIGN(auto file, disk.open(path));
  TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*file, std::thread::hardware_concurrency()));
  if (facts.length != delivery.length || facts.root != delivery.root) {
    return Error{Code::kMismatch,
                 path.string() + " is not the delivery that the manifest names: " +
                     fmt::format("{} bytes, {} expected", facts.length, delivery.length)};
  }
  return ok();
}

Result<void> copy_durably(Disk& disk, const Path& from, const Path& to) {
  Path fresh = to.string() + ".part";
  TRY(disk.remove(fresh));
  TRY_ASSIGN(auto source, disk.open(from));
  TRY_ASSIGN(auto target, disk.create(fresh, 0644));
  Bytes buffer(kCopyBytes);
  for (std::uint64_t at = 0; at < source->size();) {
    TRY_ASSIGN(std::size_t count, source->read_at(at, buffer));
    if (count == 0) return Error{Code::kIo, from.string() + " became shorter while it was read"};
    TRY(target->append(BytesView(buffer).first(count)));
    at += count;
  }
  TRY(target->sync());
  return disk.rename(fresh, to);
}

}  // namespace

Result<Published> publish(Disk& disk, const Path& packed, const Path& origin,
                          const std::vector<const trust::PrivateKey*>& keys,
                          const trust::Lifetimes& lifetimes, UtcTime now) {
  TRY_ASSIGN(Contents contents, read_packed(disk, packed));
  Published published;
  TRY(disk.make_dirs(origin / kDeliveriesFolder));
  for (const trust::Delivery& delivery : contents.manifest.deliveries) {
    Path from = packed / kDeliveriesFolder / delivery.root.hex();
    Path to = origin / kDeliveriesFolder / delivery.root.hex();
    TRY(check_delivery(disk, from, delivery));
    TRY_ASSIGN(auto present, disk.stat(to));
    if (present && present->size == delivery.length) continue;
    TRY(copy_durably(disk, from, to));
    published.bytes_added += delivery.length;
  }
  trust::Repository repository(disk, origin);
  TRY(repository.publish({{contents.manifest.target_name(), contents.manifest_bytes},
                          {contents.manifest.listing_name(), contents.listing_bytes}},
                         keys, lifetimes, now));
  published.bytes_added += contents.manifest_bytes.size() + contents.listing_bytes.size();
  published.manifest = std::move(contents.manifest);
  return published;
}

}  // namespace lineside::bundler
