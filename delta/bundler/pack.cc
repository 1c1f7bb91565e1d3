// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "delta/bundler/packed.h"
#include "delta/bundler/tree_layout.h"
#include "delta/scan.h"
#include "proto/runtime/pep503.h"
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
  TRY_ASSIGN(
      packed.summary,
      delta::make_delivery(
          options.delivery, disk, base, target, fresh,
          [&](std::uint64_t done, std::uint64_t total) { progress(step, done, total); }, stop));
  TRY(disk.rename(fresh, folder / packed.summary.root.hex()));
  return packed;
}

Result<std::vector<std::optional<delta::TreeOnDisk>>> read_bases(const Disk& disk,
                                                                 const PackOptions& options,
                                                                 std::stop_token stop) {
  std::vector<std::optional<delta::TreeOnDisk>> bases = {std::nullopt};
  for (const Path& dir : options.bases) {
    delta::TreeOnDisk base;
    base.dir = dir;
    TRY_ASSIGN(base.listing, delta::scan_tree(disk, dir, options.threads, stop));
    bases.emplace_back(std::move(base));
  }
  return bases;
}

std::string findings_text(const std::vector<runtime::Finding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& finding : findings) list.push_back(runtime::finding_json(finding));
  return list.dump(1) + "\n";
}

Result<void> write_documents(Disk& disk, const Path& folder, const Packed& packed,
                             const trust::Listing& listing, const Audited& audited) {
  TRY(disk.replace(folder / kListingFile, trust::serialise(listing)));
  TRY(disk.replace(folder / kAuditFile, as_bytes(findings_text(audited.findings))));
  return disk.replace(folder / kManifestFile, trust::serialise(packed.manifest));
}

}  // namespace

Result<Audited> audit_tree(const Disk& disk, const BundleFile& bundle, UtcTime now) {
  Audited audited;
  TRY_ASSIGN(audited.inventory, runtime::read_inventory(disk, bundle.tree));
  runtime::AuditOptions options;
  options.device = bundle.device;
  options.waivers = bundle.waivers;
  options.now = now;
  TRY_ASSIGN(audited.findings, runtime::audit(audited.inventory, options));
  return audited;
}

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
  TRY_ASSIGN(target.listing, delta::scan_tree(disk, bundle.tree, options.threads, stop));
  TRY(check_layout(target.listing));
  TRY_ASSIGN(ProbeFacts probe, read_probe(disk, bundle.tree));
  TRY_ASSIGN(auto bases, read_bases(disk, options, stop));

  Packed packed;
  take_decisions(packed.manifest, bundle);
  take_measurements(packed.manifest, audited);
  TRY_ASSIGN(packed.manifest.firmware_version, firmware_version(disk, bundle.tree));
  take_tree(packed.manifest, target.listing, probe);
  Path folder = out.string() + ".part";
  TRY(disk.remove_tree(folder));
  TRY(disk.make_dirs(folder / kDeliveriesFolder));
  for (const auto& base : bases) {
    TRY_ASSIGN(PackedDelivery made, add_delivery(disk, base, target, folder / kDeliveriesFolder,
                                                 options, progress, stop));
    trust::TreeId from = base ? trust::tree_id(base->listing) : trust::tree_id({});
    packed.manifest.deliveries.push_back(
        {from, packed.manifest.tree, made.summary.length, made.summary.root});
    packed.deliveries.push_back(std::move(made));
  }
  // What was just written must be readable by those who will get it.
  TRY(trust::parse_manifest(trust::serialise(packed.manifest)));
  TRY(write_documents(disk, folder, packed, target.listing, audited));
  TRY(disk.rename(folder, out));
  return packed;
}

}  // namespace lineside::bundler
