// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "proto/trust/document.h"
#include "proto/trust/space.h"

namespace lineside::ctl {
namespace {

// Bytes of a tree a second, between what two runs of deploy/quickstart.sh on two cores measured for
// 157 MB: eight agents staged in 4 s and tried in 1 s, sixteen beside other work in 10.5 s and 2.4
// s (medians). A turn is a report and the next one: agents are asked for one every two seconds.
constexpr double kStageRate = 25e6;
constexpr double kReadBackRate = 130e6;
constexpr double kTurnSeconds = 2;

bool contains(const std::vector<std::string>& items, const std::string& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

bool share_one(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::any_of(left.begin(), left.end(),
                     [&](const std::string& item) { return contains(right, item); });
}

// It runs the bundle, and it is whole: a damaged one is made anew.
bool runs_it(const seeder::NodeRow& node, const trust::Manifest& manifest) {
  return node.report && node.report->tree == manifest.tree && node.report->damage.empty();
}

std::string death(const seeder::NodeRow& node) {
  const std::string& cause = node.report->inferring_cause;
  return "does NOT INFER" + (cause.empty() ? "" : ": " + trust::clean_text(cause));
}

// The smallest delivery from a tree that the device holds, else the full one; 0 if not made yet.
std::uint64_t bytes_for(const seeder::NodeRow& node, const seeder::PlanView& plan) {
  std::uint64_t best = 0;
  for (const seeder::PlanRoute& route : plan.routes) {
    bool held = route.base == sha256({});
    if (node.report) {
      const auto& trees = node.report->trees;
      held = held || std::find(trees.begin(), trees.end(), route.base) != trees.end();
    }
    if (held && route.length > 0 && (best == 0 || route.length < best)) best = route.length;
  }
  return best;
}

// Named devices are meant even if the bundle does not fit them: then they are refused by name.
bool is_meant(const seeder::NodeRow& node, const trust::Manifest& manifest,
              const RolloutWish& wish) {
  if (contains(wish.canaries, node.device) || contains(wish.devices, node.device)) return true;
  if (!wish.devices.empty() || node.revoked) return false;
  bool in_group = wish.groups.empty() || share_one(node.groups, wish.groups);
  return in_group && share_one(node.hardware, manifest.hardware);
}

PlannedDevice plan_device(const seeder::NodeRow& node, const PlanInput& input,
                          const RolloutWish& wish) {
  PlannedDevice out;
  out.device = node.device;
  out.bytes = bytes_for(node, input.view);
  auto why = obstacle(node, input.manifest, out.bytes);
  if (!is_meant(node, input.manifest, wish)) {
    out.verdict = Verdict::kNotMeant;
    out.why = why.value_or("not selected");
  } else if (why) {
    out.verdict = Verdict::kRefused;
    out.why = *why;
  } else if (!node.report) {
    out.verdict = Verdict::kUnheard;
    out.why = "not heard of yet";
  } else if (runs_it(node, input.manifest)) {
    out.verdict = Verdict::kHolds;
    out.infers = node.report->inferring;
    out.why = out.infers ? "runs it already: nothing to do" : "runs it already, and " + death(node);
    out.bytes = 0;
  }
  return out;
}

// The same wish for the devices that are left.
RolloutWish without(const RolloutWish& wish, const std::vector<PlannedDevice>& devices) {
  RolloutWish left = wish;
  left.devices.clear();
  for (const PlannedDevice& device : devices) {
    bool out = device.verdict == Verdict::kRefused || device.verdict == Verdict::kNotMeant;
    if (!out) left.devices.push_back(device.device);
  }
  return left;
}

// How long the last check of the slowest device took, as it measured it.
double check_seconds(const PlanInput& input) {
  constexpr double kUnmeasured = 5;  // no device has made one yet
  double longest = 0;
  for (const seeder::NodeRow& node : input.nodes) {
    if (!node.report || !node.report->check) continue;
    auto wall = node.report->check->measured.find("wall_ms");
    if (wall == node.report->check->measured.end()) continue;
    longest = std::max(longest, std::strtod(wall->second.c_str(), nullptr) / 1000);
  }
  return longest > 0 ? longest : kUnmeasured;
}

// The gateway builds the tree from what crossed the WAN, as devices stage it. All of them stage and
// check as soon as they have the delivery; then one step after the other switches, reads its tree
// back and checks it again.
std::int64_t work_seconds(const RolloutPlan& plan, const PlanInput& input) {
  auto tree = static_cast<double>(input.manifest.tree_length);
  double check = check_seconds(input);
  double trial = tree / kReadBackRate + check + kTurnSeconds;
  double builds = input.view.held ? 1 : 2;  // one after the other
  return std::llround(builds * tree / kStageRate + check + trial * plan.directive->batch_count());
}

seeder::Forecast forecast_of(const RolloutPlan& plan, const PlanInput& input) {
  seeder::Forecast out;
  out.wan_bytes = input.view.held ? 0 : input.view.wan_bytes;
  std::uint64_t largest = 0;
  for (const PlannedDevice& device : plan.devices) {
    if (device.verdict != Verdict::kTakes && device.verdict != Verdict::kUnheard) continue;
    ++out.devices;
    out.lan_bytes += device.bytes;
    largest = std::max(largest, device.bytes);
  }
  // A swarm gives every node the file in little more than one link's time.
  std::uint64_t rate = std::max<std::uint64_t>(input.lan_rate, 1);
  out.transfer_seconds = static_cast<std::int64_t>(largest / rate * 115 / 100) + 1;
  if (plan.directive.ok()) {
    out.work_seconds = out.devices == 0 ? 0 : work_seconds(plan, input);
    out.soak_seconds = plan.directive->soak.count();
  }
  return out;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTakes:
      return "takes";
    case Verdict::kHolds:
      return "holds";
    case Verdict::kUnheard:
      return "unheard";
    case Verdict::kRefused:
      return "refused";
    case Verdict::kNotMeant:
      return "not-meant";
  }
  return "refused";
}

std::vector<std::string> RolloutPlan::dead() const {
  std::vector<std::string> out;
  for (const PlannedDevice& device : devices) {
    if (device.verdict == Verdict::kHolds && !device.infers) out.push_back(device.device);
  }
  return out;
}

std::optional<seeder::RolloutSummary> ended_badly(
    const std::vector<seeder::RolloutSummary>& rollouts, const std::string& bundle) {
  std::optional<seeder::RolloutSummary> newest;
  for (const seeder::RolloutSummary& rollout : rollouts) {
    if (rollout.bundle != bundle || (newest && newest->sequence > rollout.sequence)) continue;
    newest = rollout;
  }
  bool badly = newest && (newest->stage == "failed" || newest->stage == "aborted" ||
                          (newest->stage == "done" && newest->confirmed == 0));
  return badly ? newest : std::nullopt;
}

std::vector<std::string> RolloutPlan::refused() const {
  std::vector<std::string> out;
  for (const PlannedDevice& device : devices) {
    if (device.verdict == Verdict::kRefused) out.push_back(device.device);
  }
  return out;
}

std::optional<std::string> obstacle(const seeder::NodeRow& node, const trust::Manifest& manifest,
                                    std::uint64_t bytes) {
  if (node.revoked) return "revoked";
  if (!share_one(node.hardware, manifest.hardware)) {
    return fmt::format("hardware {}, the bundle is for {}", fmt::join(node.hardware, ", "),
                       fmt::join(manifest.hardware, ", "));
  }
  if (!node.report || runs_it(node, manifest)) return std::nullopt;
  std::uint64_t need = trust::space_needed(manifest.tree_length, bytes);
  if (node.report->free_bytes >= need) return std::nullopt;
  return fmt::format("{} free, {} needed", bytes_text(node.report->free_bytes), bytes_text(need));
}

RolloutPlan plan_rollout(const PlanInput& input, const RolloutWish& wish) {
  RolloutPlan plan{{}, Error{Code::kInternal, "no draft"}, {}};
  for (const seeder::NodeRow& node : input.nodes) {
    plan.devices.push_back(plan_device(node, input, wish));
  }
  bool fewer = wish.skip_refused && !plan.refused().empty();
  plan.directive =
      draft_directive(input.roster, input.manifest, input.manifest_digest,
                      fewer ? without(wish, plan.devices) : wish, input.sequence, input.now);
  for (PlannedDevice& device : plan.devices) {
    if (plan.directive.ok()) device.batch = plan.directive->batch_of(device.device);
  }
  plan.forecast = forecast_of(plan, input);
  return plan;
}

Result<trust::Directive> signable(const RolloutPlan& plan, const RolloutWish& wish) {
  TRY_ASSIGN(trust::Directive directive, plan.directive);
  std::string words;
  for (const PlannedDevice& device : plan.devices) {
    if (device.verdict != Verdict::kRefused) continue;
    if (wish.skip_refused && !device.batch) continue;
    words += fmt::format("{}{} ({})", words.empty() ? "" : ", ", device.device, device.why);
  }
  if (words.empty()) return directive;
  return Error{Code::kIncompatible,
               fmt::format("cannot take {}: {}; mend it, or leave them out with --skip-refused",
                           directive.bundle, words)};
}

}  // namespace lineside::ctl
