// SPDX-License-Identifier: Apache-2.0
// Commands on bundles and rollouts.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/http/target.h"
#include "seeder/ctl/commands.h"
#include "seeder/ctl/views.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

std::uint64_t full_length(const seeder::PlanView& plan) {
  for (const seeder::PlanRoute& route : plan.routes) {
    if (route.base == sha256({})) return route.length;
  }
  return 0;
}

// The smallest delivery from a tree that the node holds; 0 if its size is not known yet.
std::uint64_t bytes_for(const seeder::NodeRow& node, const seeder::PlanView& plan) {
  if (!node.report) return full_length(plan);
  std::uint64_t best = full_length(plan);
  for (const seeder::PlanRoute& route : plan.routes) {
    const auto& trees = node.report->trees;
    if (std::find(trees.begin(), trees.end(), route.base) == trees.end()) continue;
    if (route.length > 0 && (best == 0 || route.length < best)) best = route.length;
  }
  return best;
}

// Above every directive that the site ever saw, whoever signed it: nodes remember the number. The
// gateway can make it too high, which wastes numbers, but not lower than what is held here.
Result<std::int64_t> next_sequence(Session& session) {
  TRY_ASSIGN(auto directive, session.directive());
  TRY_ASSIGN(seeder::SiteStatus status, session.status());
  std::int64_t held = directive ? directive->directive.sequence : 0;
  return std::max(held, status.newest_sequence) + 1;
}

Result<void> start(Session& session, const CheckedBundle& bundle, const RolloutWish& wish) {
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  TRY_ASSIGN(std::int64_t sequence, next_sequence(session));
  TRY_ASSIGN(trust::Directive draft, draft_directive(roster.roster, bundle.manifest, bundle.digest,
                                                     wish, sequence, session.now()));
  TRY(session.sign_directive(draft, describe(draft, bundle.manifest), wish.replace));
  session.out() << (session.json()
                        ? json{{"sequence", sequence}, {"bundle", draft.bundle}}.dump()
                        : fmt::format("directive {} is signed and at the gateway", sequence))
                << "\n";
  return ok();
}

// The bundle that the site was told to run before the present one.
Result<std::string> previous_bundle(Session& session) {
  TRY_ASSIGN(auto present, session.directive());
  if (!present) return Error{Code::kConflict, "nothing was rolled out yet"};
  for (std::int64_t at = present->directive.sequence - 1; at >= 1; --at) {
    Result<seeder::SiteStatus> before = session.status(at);
    if (!before.ok() || !before->rollout) continue;
    if (before->rollout->bundle != present->directive.bundle) return before->rollout->bundle;
  }
  return Error{Code::kNotFound, "the site never ran another bundle: name it with --to"};
}

json plan_json(const CheckedBundle& bundle, const std::vector<seeder::NodeRow>& nodes) {
  json out = to_json(bundle.plan);
  out["version"] = bundle.manifest.version;
  out["manifest"] = bundle.digest.hex();
  out["nodes"] = json::array();
  for (const auto& node : nodes) {
    std::uint64_t bytes = bytes_for(node, bundle.plan);
    auto why = obstacle(node, bundle.manifest, bytes);
    json row = {{"device", node.device}, {"can", !why.has_value()}, {"bytes", bytes}};
    if (why) row["why"] = *why;
    out["nodes"].push_back(row);
  }
  return out;
}

std::string wan_text(const seeder::PlanView& plan) {
  if (plan.held) return "nothing: the gateway holds this bundle";
  if (!plan.wan_base) return "no signed delivery starts from what this site holds";
  std::string text =
      fmt::format("{} from {}", bytes_text(plan.wan_bytes),
                  *plan.wan_base == sha256({}) ? "nothing (full)"
                                               : "tree " + plan.wan_base->hex().substr(0, 12));
  if (plan.wan_budget == 0) return text;
  std::uint64_t after = plan.wan_used + plan.wan_bytes;
  return text + fmt::format("; budget {}, {} used{}", bytes_text(plan.wan_budget),
                            bytes_text(plan.wan_used),
                            after > plan.wan_budget ? ": EXCEEDS THE BUDGET" : "");
}

}  // namespace

Result<void> bundles(Session& session) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  TRY_ASSIGN(Bytes body, gateway->get("/v1/bundles"));
  TRY_ASSIGN(auto rows, seeder::parse_bundles(body));
  if (session.json()) {
    json out = json::array();
    for (const auto& row : rows) out.push_back(to_json(row));
    session.out() << json{{"bundles", out}}.dump() << "\n";
    return ok();
  }
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows) {
    cells.push_back({row.name.substr(0, row.name.size() - 5), row.held ? "at the gateway"
                                                              : row.mirrored
                                                                  ? "manifest at the gateway"
                                                                  : "at the vendor"});
  }
  session.out() << table({"BUNDLE", "WHERE"}, cells);
  return ok();
}

Result<void> plan(Session& session, const std::string& bundle, const RolloutWish& wish,
                  std::uint64_t lan_rate) {
  TRY_ASSIGN(CheckedBundle checked, session.bundle(bundle_name(bundle)));
  TRY_ASSIGN(seeder::SiteStatus site, session.status());
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  if (session.json()) {
    session.out() << plan_json(checked, site.nodes).dump() << "\n";
    return ok();
  }
  std::vector<std::vector<std::string>> rows;
  std::uint64_t lan = 0;
  std::uint64_t largest = 0;
  for (const auto& node : site.nodes) {
    std::uint64_t bytes = bytes_for(node, checked.plan);
    auto why = obstacle(node, checked.manifest, bytes);
    if (!why) {
      lan += bytes;
      largest = std::max(largest, bytes);
    }
    std::string size = bytes == 0 ? "not made yet" : bytes_text(bytes);
    rows.push_back({node.device, why ? "no: " + *why : "yes", why ? "" : size});
  }
  session.out() << fmt::format("{} {} (release {}), signed by the vendor: verified here\n",
                               checked.manifest.name, checked.manifest.version,
                               checked.manifest.release)
                << fmt::format("manifest {}\n\n", checked.digest.hex())
                << table({"NODE", "CAN TAKE IT", "DELIVERY"}, rows)
                << fmt::format("\nWAN   {}\nLAN   {} to all nodes together\n",
                               wan_text(checked.plan), bytes_text(lan));
  TRY_ASSIGN(trust::Directive draft, draft_directive(roster.roster, checked.manifest,
                                                     checked.digest, wish, 1, session.now()));
  // A swarm gives every node the file in little more than one link's time (README, "Estimates").
  auto transfer = std::chrono::seconds(largest * 115 / 100 / std::max<std::uint64_t>(lan_rate, 1));
  session.out() << fmt::format("TIME  about {} of transfer, {} of soak, {} steps (canaries {})\n",
                               duration_text(std::max(transfer, std::chrono::seconds(1))),
                               duration_text(draft.soak), draft.batch_count(),
                               fmt::join(draft.canaries, ", "));
  return ok();
}

Result<void> rollout_start(Session& session, const std::string& bundle, const RolloutWish& wish) {
  TRY_ASSIGN(CheckedBundle checked, session.bundle(bundle_name(bundle)));
  return start(session, checked, wish);
}

Result<void> rollout_rollback(Session& session, const std::string& bundle,
                              const RolloutWish& wish) {
  std::string name = bundle;
  if (name.empty()) {
    TRY_ASSIGN(name, previous_bundle(session));
  }
  TRY_ASSIGN(CheckedBundle checked, session.bundle(bundle_name(name)));
  RolloutWish back = wish;
  back.replace = true;  // who goes back does not wait for the end of what he goes back from
  return start(session, checked, back);
}

Result<void> rollout_command(Session& session, const std::string& verb) {
  TRY_ASSIGN(auto directive, session.directive());
  if (!directive) return Error{Code::kConflict, "nothing was rolled out yet"};
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  std::int64_t sequence = directive->directive.sequence;
  TRY(gateway->post(fmt::format("/v1/rollouts/{}/{}", sequence, verb), {}));
  session.out() << (session.json() ? json{{"sequence", sequence}, {"done", verb}}.dump()
                                   : fmt::format("rollout {}: {}", sequence, verb))
                << "\n";
  return ok();
}

}  // namespace lineside::ctl
