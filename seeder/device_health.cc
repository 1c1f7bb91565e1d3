// SPDX-License-Identifier: Apache-2.0
#include "seeder/device_health.h"

#include <algorithm>
#include <array>

namespace lineside::seeder {
namespace {

struct Name {
  Health health;
  std::string_view text;
};
constexpr std::array<Name, 8> kNames = {{{Health::kInferring, "inferring"},
                                         {Health::kUpdating, "updating"},
                                         {Health::kFailed, "failed"},
                                         {Health::kNotInferring, "not-inferring"},
                                         {Health::kDamaged, "damaged"},
                                         {Health::kSilent, "silent"},
                                         {Health::kEmpty, "empty"},
                                         {Health::kRevoked, "revoked"}}};

// The switch is under way: whether the new tree infers is what is being found out.
bool switching(std::string_view state) {
  return state == "activating" || state == "trial";
}

// The last live check, if it failed. What was tried in a rollout is another matter.
std::string live_failure(const NodeRow& node) {
  if (!node.report || !node.report->check) return "";
  const api::CheckSummary& check = *node.report->check;
  return check.phase == "live" && check.verdict != "pass" ? check.cause : "";
}

}  // namespace

bool before_switch(std::string_view state) {
  return state == "fetching" || state == "staging" || state == "checking" || state == "gated";
}

std::string_view health_name(Health health) {
  auto found = std::find_if(kNames.begin(), kNames.end(),
                            [&](const Name& name) { return name.health == health; });
  return found == kNames.end() ? "silent" : found->text;
}

Health health_from(std::string_view name) {
  auto found = std::find_if(kNames.begin(), kNames.end(),
                            [&](const Name& known) { return known.text == name; });
  return found == kNames.end() ? Health::kSilent : found->health;
}

bool needs_attention(Health health) {
  return health == Health::kFailed || health == Health::kNotInferring ||
         health == Health::kDamaged || health == Health::kSilent;
}

Health health_of(const NodeRow& node, UtcTime now, UtcTime listening) {
  if (node.revoked) return Health::kRevoked;
  UtcTime heard = std::max(node.heard.value_or(listening), listening);
  if (now >= heard + kSilentAfter || !node.report) return Health::kSilent;
  const api::NodeReport& report = *node.report;
  if (switching(report.state)) return Health::kUpdating;
  // A dead line is dead whatever else the device is busy with.
  if (!report.bundle.empty() && !report.inferring) return Health::kNotInferring;
  if (!report.bundle.empty() && !report.damage.empty()) return Health::kDamaged;
  // A rollout that ended holds it where it is: it is on its way to nothing.
  bool held = node.ending == "unfinished";
  if (before_switch(report.state) && !held) return Health::kUpdating;
  if (report.state == "failed" || report.state == "rolled_back") return Health::kFailed;
  return report.bundle.empty() ? Health::kEmpty : Health::kInferring;
}

std::map<std::string, std::int64_t> count_health(const std::vector<NodeRow>& nodes) {
  std::map<std::string, std::int64_t> counts;
  for (const Name& name : kNames) {
    if (name.health != Health::kRevoked) counts[std::string(name.text)] = 0;
  }
  for (const NodeRow& node : nodes) {
    if (auto found = counts.find(node.health); found != counts.end()) ++found->second;
  }
  return counts;
}

std::string damage_text(const NodeRow& node) {
  if (!node.report) return "";
  constexpr std::string_view kEnd = ".json";
  std::string bundle = node.report->bundle;
  if (bundle.ends_with(kEnd)) bundle.resize(bundle.size() - kEnd.size());
  return node.report->damage + "; to mend it: lineside rollout start " + bundle + " --device " +
         node.device;
}

std::string describe_change(Health before, const NodeRow& node) {
  Health now = health_from(node.health);
  if (before == now) return "";
  if (now == Health::kSilent) return "silent: not heard of for 120 s";
  if (now == Health::kNotInferring) {
    std::string cause = node.report ? node.report->inferring_cause : "";
    if (cause.empty()) cause = live_failure(node);
    return "NOT INFERRING" + (node.report ? " on " + node.report->bundle : "") +
           (cause.empty() ? "" : ": " + cause);
  }
  if (now == Health::kDamaged) {
    return "DAMAGED, it runs what was not signed: " + damage_text(node);
  }
  if (before == Health::kSilent) return "heard of: " + node.health;
  if (before == Health::kDamaged) return "whole again: " + node.health;
  return before == Health::kNotInferring ? "no longer dead: " + node.health : "";
}

}  // namespace lineside::seeder
