// SPDX-License-Identifier: Apache-2.0
// A packed bundle: a folder that `publish` takes to an origin, on another machine if need be.
//
//     manifest.json     what will be signed, see manifest.h
//     listing           of the tree
//     deliveries/ROOT   one file for each way to the tree
//     audit.json        findings of the audit: warnings, and what was waived
//     sbom.json         CycloneDX 1.5
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "delta/bundler/bundle_file.h"
#include "delta/bundler/tree_layout.h"
#include "delta/make_delivery.h"
#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/runtime/audit.h"
#include "proto/runtime/inventory.h"
#include "proto/trust/manifest.h"

namespace lineside::bundler {

inline constexpr std::string_view kManifestFile = "manifest.json";
inline constexpr std::string_view kListingFile = "listing";
inline constexpr std::string_view kAuditFile = "audit.json";
inline constexpr std::string_view kSbomFile = "sbom.json";
inline constexpr std::string_view kDeliveriesFolder = "deliveries";

struct Audited {
  trust::Listing listing;
  ProbeFacts probe;  // empty if there is a finding "layout" or "probe"
  runtime::Inventory inventory;
  std::vector<runtime::Finding> findings;
  UtcTime when{};
};

// Measures the tree and judges all that pack demands of it. Waivers of `bundle` apply while `now`
// is before their end, but not to the findings that are made here: "layout" (check_layout) and
// "probe" (read_probe, or another model than probe.json names). The codes of scan_tree and Disk.
Result<Audited> audit_tree(const Disk& disk, const BundleFile& bundle, UtcTime now,
                           unsigned threads = 2);

struct PackOptions {
  std::vector<Path> bases;  // trees of earlier versions, to make deltas against
  delta::MakeOptions delivery;
  unsigned threads = 2;
};

struct PackedDelivery {
  std::string base;  // folder of the base, empty for the full delivery
  delta::DeliverySummary summary;
};

struct Packed {
  trust::Manifest manifest;
  std::vector<PackedDelivery> deliveries;
};

// What is going on, for people: "full delivery", bytes done, bytes in all.
using PackProgress =
    std::function<void(const std::string& step, std::uint64_t done, std::uint64_t total)>;

// Writes the packed bundle to `out`, which must not exist; it appears whole or not at all.
// `audited` is of this bundle's tree. kIncompatible if it has errors, kExists, kUsage for bases of
// which two are the same tree or one is the bundle's own: nothing is written then. kMalformed if a
// fact does not fit into a manifest, kCancelled, the codes of make_delivery and Disk.
Result<Packed> pack(Disk& disk, const BundleFile& bundle, const Audited& audited, const Path& out,
                    const PackOptions& options, const PackProgress& progress,
                    std::stop_token stop = {});

}  // namespace lineside::bundler
