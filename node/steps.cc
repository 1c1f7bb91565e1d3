// SPDX-License-Identifier: Apache-2.0
#include "node/steps.h"

#include <algorithm>
#include <utility>

#include "delta/scan.h"
#include "node/bundle_files.h"
#include "proto/base/log.h"

namespace lineside::node {
namespace {

using trust::Manifest;
using trust::TreeId;

constexpr unsigned kThreads = 2;

std::string describe(const std::vector<delta::Difference>& differences) {
  const delta::Difference& first = differences.front();
  return std::to_string(differences.size()) + " differences from the signed listing, first " +
         first.path + ": " + std::string(delta::difference_name(first.kind)) +
         (first.detail.empty() ? "" : ", " + first.detail);
}

api::CheckSummary summary_of(const CheckReport& report, std::string_view phase) {
  api::CheckSummary summary;
  summary.phase = phase;
  summary.verdict = verdict_name(report.verdict);
  summary.cause = report.cause;
  summary.finished = report.finished;
  summary.measured = report.measured;
  summary.stderr_tail = report.stderr_tail;
  return summary;
}

}  // namespace

Outcome Outcome::failed(Event event, Error error) {
  if (error.code == Code::kCancelled) return {};
  return {event, std::move(error), {}};
}

Steps::Steps(Surroundings around, Ledger& ledger, Settings settings)
    : around_(around), ledger_(ledger), settings_(std::move(settings)) {}

UtcTime Steps::now() const {
  return std::max(around_.clock.now(), ledger_.life().time_floor);
}

Path Steps::delivery_file(const Digest& root) const {
  return settings_.state / "deliveries" / root.hex();
}

Outcome Steps::run(Action action, const trust::VerifiedDirective& directive, std::stop_token stop) {
  if (std::exchange(sequence_, directive.directive.sequence) != sequence_) {
    stalled_.reset();
    refused_.clear();
    prepared_since_.reset();
  }
  switch (action) {
    case Action::kFetch:
      return fetch(directive.directive, std::move(stop));
    case Action::kStage:
      return stage(directive.directive, std::move(stop));
    case Action::kCheck:
      return check(std::move(stop));
    case Action::kActivate:
      return activate();
    case Action::kTry:
      return trial(std::move(stop));
    case Action::kConfirm:
      return confirm();
    case Action::kDiscard:
      return discard();
    case Action::kRollBack:
      return roll_back();
    case Action::kNone:
    case Action::kAwaitGate:
      break;
  }
  return {};
}

// Compares the slot on the disk with the signed listing.
Result<void> Steps::read_back(const TreeId& tree, std::stop_token stop) {
  TRY_ASSIGN(auto listing, stored_listing(around_.disk, settings_.state, tree));
  TRY_ASSIGN(auto differences, delta::verify_tree(around_.disk, around_.slots.dir(tree), listing,
                                                  kThreads, std::move(stop)));
  if (differences.empty()) return ok();
  return Error{Code::kMismatch, describe(differences)};
}

Result<CheckReport> Steps::run_check(const TreeId& tree, const Digest& manifest_digest,
                                     std::string_view phase, std::stop_token stop) {
  TRY_ASSIGN(Manifest manifest, stored_manifest(around_.disk, settings_.state, manifest_digest));
  CheckRequest request;
  request.tree = around_.slots.dir(tree);
  request.manifest = &manifest;
  TRY_ASSIGN(auto current, around_.slots.current());
  if (current && *current != tree) request.running = around_.slots.dir(*current);
  TRY_ASSIGN(CheckReport report, around_.checker.run(request, std::move(stop)));
  TRY(ledger_.change([&](Life& life) {
    life.check = summary_of(report, phase);
    if (phase == kPhaseLive) return;
    life.check_started = report.started;
    life.passed_tests = report.ids(CheckStatus::kPassed);
    life.failed_tests = report.ids(CheckStatus::kFailed);
    life.measured = report.measured;
  }));
  return report;
}

// Of deliveries only the present one stays, with what belongs to its file (leaves, resume data).
// Others were given up in the middle, or the power went before they were removed.
Result<void> Steps::collect_deliveries(const std::string& present) {
  Path folder = settings_.state / "deliveries";
  TRY_ASSIGN(auto there, around_.disk.stat(folder));
  if (!there) return ok();
  TRY_ASSIGN(auto entries, around_.disk.list(folder));
  for (const DirEntry& entry : entries) {
    if (!present.empty() && entry.name.rfind(present, 0) == 0) continue;
    TRY(around_.disk.remove_tree(folder / entry.name));
  }
  return ok();
}

// Keeps what runs, the way back and, if asked for, what is being worked on.
Result<void> Steps::tidy(bool keep_target) {
  Life life = ledger_.life();
  std::set<TreeId> trees;
  std::set<Digest> manifests;
  TRY_ASSIGN(auto current, around_.slots.current());
  if (current) trees.insert(*current);
  if (life.before) trees.insert(*life.before);
  if (life.previous) trees.insert(*life.previous);
  if (life.confirmed) {
    trees.insert(life.confirmed->tree);
    manifests.insert(life.confirmed->manifest);
  }
  if (life.target) manifests.insert(life.target->manifest);
  if (life.target && keep_target) trees.insert(life.target->tree);
  TRY(around_.slots.collect(trees));
  TRY(collect_deliveries(life.delivery ? life.delivery->root.hex() : std::string()));
  return collect_bundle_files(around_.disk, settings_.state, manifests, trees);
}

Outcome Steps::discard() {
  auto done = tidy(false);
  if (!done.ok()) log(Level::kWarning, "cannot discard", {{"why", done.error().describe()}});
  return {};
}

}  // namespace lineside::node
