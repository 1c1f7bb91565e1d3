// SPDX-License-Identifier: Apache-2.0
// Takes a packed bundle to an origin: a folder of static files that any web server or stick can
// carry.
#pragma once

#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/trust/keys.h"
#include "proto/trust/manifest.h"
#include "proto/trust/tuf/repository.h"

namespace lineside::bundler {

// Targets beside NAME/VERSION.json: what the audit found, and the CycloneDX bill of materials. No
// device reads them.
inline constexpr std::string_view kAuditSuffix = ".audit";
inline constexpr std::string_view kSbomSuffix = ".sbom";

struct Published {
  trust::Manifest manifest;
  std::uint64_t bytes_added = 0;  // to the origin; 0 if all of it was there
};

// Deliveries first, then the TUF targets, then the metadata: a reader never sees a manifest whose
// deliveries are not there. Publishing the same bundle again changes nothing, but for deliveries
// that the origin had lost. kMismatch if a file of the packed bundle is not what its manifest says;
// kConflict if the origin has this version with other content, or a release of this name whose
// number is not lower; kNotFound if `origin` is none; kBadSignature if `keys` do not reach a
// threshold. The origin is unchanged after an error, but for deliveries that nobody names yet.
Result<Published> publish(Disk& disk, const Path& packed, const Path& origin,
                          const std::vector<const trust::PrivateKey*>& keys,
                          const trust::Lifetimes& lifetimes, UtcTime now);

// The same where people sign one after another: clients see nothing of it before
// trust::Repository::publish_staged. `keys` need not reach the threshold.
Result<Published> stage(Disk& disk, const Path& packed, const Path& origin,
                        const std::vector<const trust::PrivateKey*>& keys,
                        const trust::Lifetimes& lifetimes, UtcTime now);

}  // namespace lineside::bundler
