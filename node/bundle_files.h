// SPDX-License-Identifier: Apache-2.0
// Manifests and listings that the device holds, named by what they hash to, so that reading one
// back is verifying it:
//
//     STATE/manifests/SHA256.json     STATE/listings/TREE.listing
#pragma once

#include <set>

#include "node/gateway_link.h"
#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/directive.h"
#include "proto/trust/listing.h"
#include "proto/trust/manifest.h"

namespace lineside::node {

// kNotFound, kMismatch, and the parsers' codes.
Result<trust::Manifest> stored_manifest(const Disk& disk, const Path& state,
                                        const Digest& manifest);
// The empty tree's listing needs no file.
Result<trust::Listing> stored_listing(const Disk& disk, const Path& state,
                                      const trust::TreeId& tree);

// The vendor's metadata as `link` has it, if it is newer. The codes of trust::Updater.
Result<void> refresh_vendor(Disk& disk, const Path& state, GatewayLink& link, UtcTime now);
// The manifest that the directive names, vouched for by the vendor's TUF metadata, stored durably.
// What the disk holds already is taken from there: it was vouched for when it was stored. kMismatch
// if the vendor's manifest of that name is another; the codes of trust::Updater and of the link.
Result<trust::Manifest> fetch_manifest(Disk& disk, const Path& state, GatewayLink& link,
                                       const trust::Directive& directive, UtcTime now);
// The listing that the manifest names, likewise.
Result<trust::Listing> fetch_listing(Disk& disk, const Path& state, GatewayLink& link,
                                     const trust::Manifest& manifest, UtcTime now);

// Removes stored files of other manifests and trees.
Result<void> collect_bundle_files(Disk& disk, const Path& state, const std::set<Digest>& manifests,
                                  const std::set<trust::TreeId>& trees);

}  // namespace lineside::node
