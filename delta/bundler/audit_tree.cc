// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "delta/bundler/packed.h"
#include "delta/scan.h"

namespace lineside::bundler {
namespace {

using runtime::Finding;

// A waiver cannot pass these: they are added after waivers were applied.
void add_error(std::vector<Finding>& findings, const std::string& rule, const std::string& subject,
               const std::string& message, const std::string& advice) {
  Finding finding;
  finding.rule = rule;
  finding.subject = subject;
  finding.message = message;
  finding.advice = advice;
  findings.insert(findings.begin(), std::move(finding));
}

// What the check says of a model, against the model that is there.
void compare_models(Audited& audited) {
  for (const runtime::ProbeModel& said : audited.probe.models) {
    const auto& models = audited.inventory.models;
    auto found = std::find_if(models.begin(), models.end(),
                              [&](const auto& model) { return model.path == said.path; });
    if (!said.sha256 || found == models.end() || found->sha256 == *said.sha256) continue;
    add_error(audited.findings, "probe", said.path,
              said.path + " is not the model that validation/probe.json names by its sha256",
              "write the golden outputs again with this model; every device would refuse these");
  }
}

Result<void> judge_layout(const Disk& disk, const Path& tree, Audited& audited) {
  Result<void> layout = check_layout(audited.listing);
  if (!layout.ok()) {
    add_error(audited.findings, "layout", tree.filename().string(), layout.error().what,
              "a bundle is firmware/, runtime/, models/ and validation/ as one unit");
    return ok();
  }
  Result<ProbeFacts> probe = read_probe(disk, tree, audited.listing);
  if (!probe.ok() && probe.error().code == Code::kIo) return probe.error();
  if (!probe.ok()) {
    add_error(audited.findings, "probe", std::string(kProbeFile), probe.error().what,
              "devices refuse a check that they cannot read");
    return ok();
  }
  audited.probe = std::move(probe).value();
  compare_models(audited);
  return ok();
}

}  // namespace

Result<Audited> audit_tree(const Disk& disk, const BundleFile& bundle, UtcTime now,
                           unsigned threads) {
  Audited audited;
  audited.when = now;
  TRY_ASSIGN(audited.inventory, runtime::read_inventory(disk, bundle.tree));
  runtime::AuditOptions options;
  options.device = bundle.device;
  options.waivers = bundle.waivers;
  options.now = now;
  TRY_ASSIGN(audited.findings, runtime::audit(audited.inventory, options));
  TRY_ASSIGN(audited.listing, delta::scan_tree(disk, bundle.tree, threads));
  TRY(judge_layout(disk, bundle.tree, audited));
  return audited;
}

}  // namespace lineside::bundler
