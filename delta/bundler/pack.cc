// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "delta/bundler/packed.h"
#include "delta/scan.h"
#include "proto/runtime/pep503.h"
#include "proto/runtime/sbom.h"
#include "proto/trust/json.h"

namespace lineside::bundler {
namespace {

using trust::Manifest;

void take_decisions(Manifest& manifest, const BundleFile& bundle) {
  manifest.name = bundle.name;
  manifest.version = bundle.version;
  manifest.release = bundle.release;
  manifest.security_floor = bundle.security_floor;
  manifest.vendor = bundle.vendor;
  manifest.hardware = bundle.hardware;
}

trust::ModelFact model_fact(const runtime::ModelFile& model) {
  trust::ModelFact fact{model.path, model.sha256, model.format, {}};
  if (model.onnx) {
    fact.versions["ir"] = model.onnx->ir_version;
    for (const auto& [domain, version] : model.onnx->opsets) {
      fact.versions["opset." + domain] = version;
    }
  }
  return fact;
}

void take_measurements(Manifest& manifest, const Audited& audited) {
  const runtime::Inventory& found = audited.inventory;
  manifest.provides.insert(found.provides.begin(), found.provides.end());
  if (!found.pythons.empty()) manifest.python = found.pythons.front().version;
  for (const auto& package : found.packages) {
    manifest.packages[runtime::normalize_name(package.name)] = package.version;
  }
  for (const auto& model : found.models) manifest.models.push_back(model_fact(model));
  for (const runtime::Finding& finding : audited.findings) {
    if (finding.severity == runtime::Severity::kWaived && finding.waiver) {
      manifest.waivers.push_back(*finding.waiver);
    }
  }
}

void take_tree(Manifest& manifest, const trust::Listing& listing, const ProbeFacts& probe) {
  manifest.listing_length = trust::serialise(listing).size();
  manifest.tree = trust::tree_id(listing);
  manifest.tree_length = listing.total_length();
  manifest.check = probe.digest;
  manifest.golden = trust::part_digest(listing, "validation");
  manifest.required_tests = probe.tests;
}

// Makes one delivery under a temporary name and then names it by its root.
Result<PackedDelivery> add_delivery(Disk& disk, const std::optional<delta::TreeOnDisk>& base,
                                    const delta::TreeOnDisk& target, const Path& folder,
                                    const PackOptions& options, const PackProgress& progress,
                                    std::stop_token stop) {
  PackedDelivery packed;
  std::string step = "full delivery";
  if (base) {
    packed.base = base->dir.string();
    step = "delivery from " + base->dir.filename().string();
  }
  Path fresh = folder / "fresh";
  TRY_ASSIGN(packed.summary, delta::make_delivery(
                                 options.delivery, disk, base, target, fresh,
                                 [&](std::uint64_t done, std::uint64_t total) {
                                   if (progress) progress(step, done, total);
                                 },
                                 stop));
  TRY(disk.rename(fresh, folder / packed.summary.root.hex()));
  return packed;
}

using Bases = std::vector<std::optional<delta::TreeOnDisk>>;  // the first is none: full delivery

Result<Bases> read_bases(const Disk& disk, const PackOptions& options, const trust::TreeId& own,
                         std::stop_token stop) {
  Bases bases = {std::nullopt};
  std::set<trust::TreeId> known = {own};
  for (const Path& dir : options.bases) {
    delta::TreeOnDisk base;
    base.dir = dir;
    TRY_ASSIGN(base.listing, delta::scan_tree(disk, dir, options.threads, stop));
    if (!known.insert(trust::tree_id(base.listing)).second) {
      return Error{Code::kUsage,
                   dir.string() + " holds the same tree as the bundle or another base"};
    }
    bases.emplace_back(std::move(base));
  }
  return bases;
}

std::string findings_text(const std::vector<runtime::Finding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& finding : findings) list.push_back(runtime::finding_json(finding));
  return list.dump(1) + "\n";
}

std::string sbom_text(const Audited& audited, const trust::Manifest& manifest) {
  runtime::SbomSubject subject{manifest.name, manifest.version, audited.when};
  return runtime::cyclonedx(audited.inventory, subject).dump(1) + "\n";
}

Result<void> write_documents(Disk& disk, const Path& folder, const Packed& packed,
                             const trust::Listing& listing, const Audited& audited) {
  TRY(disk.replace(folder / kListingFile, trust::serialise(listing)));
  TRY(disk.replace(folder / kAuditFile, as_bytes(findings_text(audited.findings))));
  TRY(disk.replace(folder / kSbomFile, as_bytes(sbom_text(audited, packed.manifest))));
  return disk.replace(folder / kManifestFile, trust::serialise(packed.manifest));
}

// What was written must be readable by those who will get it.
Result<void> check_manifest(const trust::Manifest& manifest) {
  auto parsed = trust::parse_manifest(trust::serialise(manifest));
  if (!parsed.ok()) return parsed.error();
  return ok();
}

// The manifest without deliveries: all that can be wrong in it is found before the long work.
Result<trust::Manifest> draft_manifest(const Disk& disk, const BundleFile& bundle,
                                       const Audited& audited) {
  trust::Manifest manifest;
  take_decisions(manifest, bundle);
  take_measurements(manifest, audited);
  TRY_ASSIGN(manifest.firmware_version, firmware_version(disk, bundle.tree));
  take_tree(manifest, audited.listing, audited.probe);
  TRY(check_manifest(manifest));
  return manifest;
}

Result<void> fill_folder(Disk& disk, const Path& folder, Packed& packed,
                         const delta::TreeOnDisk& target, const Bases& bases,
                         const Audited& audited, const PackOptions& options,
                         const PackProgress& progress, std::stop_token stop) {
  TRY(disk.make_dirs(folder / kDeliveriesFolder));
  for (const auto& base : bases) {
    TRY_ASSIGN(PackedDelivery made, add_delivery(disk, base, target, folder / kDeliveriesFolder,
                                                 options, progress, stop));
    trust::TreeId from = base ? trust::tree_id(base->listing) : trust::tree_id({});
    packed.manifest.deliveries.push_back(
        {from, packed.manifest.tree, made.summary.length, made.summary.root});
    packed.deliveries.push_back(std::move(made));
  }
  TRY(check_manifest(packed.manifest));
  return write_documents(disk, folder, packed, target.listing, audited);
}

}  // namespace

Result<Packed> pack(Disk& disk, const BundleFile& bundle, const Audited& audited, const Path& out,
                    const PackOptions& options, const PackProgress& progress,
                    std::stop_token stop) {
  if (!runtime::passes(audited.findings)) {
    return Error{Code::kIncompatible, "the audit found errors; nothing was packed"};
  }
  TRY_ASSIGN(auto present, disk.stat(out));
  if (present)
    return Error{Code::kExists, out.string() + " exists; a packed bundle is not changed"};
  delta::TreeOnDisk target;
  target.dir = bundle.tree;
  target.listing = audited.listing;
  Packed packed;
  TRY_ASSIGN(packed.manifest, draft_manifest(disk, bundle, audited));
  TRY_ASSIGN(Bases bases, read_bases(disk, options, packed.manifest.tree, stop));

  Path folder = out.string() + ".part";
  TRY(disk.remove_tree(folder));
  Result<void> filled =
      fill_folder(disk, folder, packed, target, bases, audited, options, progress, stop);
  if (filled.ok()) filled = disk.rename(folder, out);
  if (filled.ok()) return packed;
  (void)disk.remove_tree(folder).ok();  // the first error is the one that matters
  return filled.error();
}

}  // namespace lineside::bundler
