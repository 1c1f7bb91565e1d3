// SPDX-License-Identifier: Apache-2.0
// Commands on bundles and rollouts.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/http/target.h"
#include "seeder/ctl/commands.h"
#include "seeder/ctl/plan.h"
#include "seeder/ctl/view_text.h"
#include "seeder/ctl/views.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLanRate = 100'000'000 / 8;  // bytes a second

Result<std::int64_t> free_sequence(Session& session) {
  TRY_ASSIGN(auto directive, session.directive());
  TRY_ASSIGN(seeder::SiteStatus status, session.status());
  return next_number("directive", directive ? directive->directive.sequence : 0,
                     status.newest_sequence);
}

Result<RolloutPlan> planned(Session& session, const CheckedBundle& bundle, const RolloutWish& wish,
                            std::int64_t sequence, std::uint64_t lan_rate) {
  TRY(check_wish(wish));
  TRY_ASSIGN(seeder::SiteStatus site, session.status());
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  return plan_rollout({roster.roster, site.nodes, bundle.manifest, bundle.digest, bundle.plan,
                       sequence, session.now(), lan_rate},
                      wish);
}

void keep_forecast(Session& session, std::int64_t sequence, const seeder::Forecast& forecast) {
  Result<Gateway*> gateway = session.gateway();
  if (!gateway.ok()) return;
  auto kept = (*gateway)->post(fmt::format("/v1/rollouts/{}/forecast", sequence),
                               as_bytes(to_json(forecast).dump()));
  if (!kept.ok()) session.notes() << "the forecast is not kept: " << kept.error().what << "\n";
}

Result<void> start(Session& session, const CheckedBundle& bundle, const RolloutWish& wish) {
  TRY_ASSIGN(std::int64_t sequence, free_sequence(session));
  TRY_ASSIGN(RolloutPlan plan, planned(session, bundle, wish, sequence, kLanRate));
  TRY_ASSIGN(trust::Directive draft, signable(plan, wish));
  std::vector<std::string> words = describe(draft, bundle.manifest);
  if (auto left_out = plan.refused(); !left_out.empty()) {
    words.push_back(fmt::format("left out  {}", fmt::join(left_out, ", ")));
  }
  TRY_ASSIGN(Signed made, session.sign_directive(draft, words, wish.replace));
  if (made.at_gateway) keep_forecast(session, sequence, plan.forecast);
  json out = {{"sequence", sequence}, {"bundle", draft.bundle}};
  if (!made.at_gateway) out["draft"] = made.draft.string();
  session.out() << (session.json() ? out.dump() : describe(made)) << "\n";
  return ok();
}

Result<std::vector<seeder::RolloutSummary>> rollouts_of(Session& session) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  TRY_ASSIGN(Bytes body, gateway->get("/v1/rollouts"));
  return seeder::parse_rollouts(body);
}

// Says what it is, since nobody named it.
Result<std::string> last_good_bundle(Session& session) {
  TRY_ASSIGN(auto present, session.directive());
  if (!present) return Error{Code::kConflict, "nothing was rolled out yet"};
  TRY_ASSIGN(auto rollouts, rollouts_of(session));
  TRY_ASSIGN(WayBack way, way_back(rollouts, present->directive));
  session.notes() << describe(way) << "\n";
  return way.to.bundle;
}

json plan_json(const CheckedBundle& bundle, const RolloutPlan& plan,
               const std::optional<seeder::RolloutSummary>& before) {
  json out = to_json(bundle.plan);
  out["version"] = bundle.manifest.version;
  out["manifest"] = bundle.digest.hex();
  out["forecast"] = to_json(plan.forecast);
  if (before) out["ended_badly"] = to_json(*before);
  out["nodes"] = json::array();
  for (const PlannedDevice& device : plan.devices) {
    bool can = device.verdict != Verdict::kRefused && device.verdict != Verdict::kNotMeant;
    json row = {{"device", device.device},
                {"can", can},
                {"verdict", verdict_name(device.verdict)},
                {"bytes", device.bytes}};
    if (!device.why.empty()) row["why"] = device.why;
    if (device.verdict == Verdict::kHolds) row["infers"] = device.infers;
    if (device.batch) row["batch"] = *device.batch;
    out["nodes"].push_back(row);
  }
  if (plan.directive.ok()) out["canaries"] = plan.directive->canaries;
  return out;
}

std::vector<std::string> plan_cells(const PlannedDevice& device) {
  std::string word = device.verdict == Verdict::kRefused    ? "NO: "
                     : device.verdict == Verdict::kNotMeant ? "not meant: "
                     : device.verdict == Verdict::kUnheard  ? "yes, but "
                     : device.verdict == Verdict::kHolds    ? ""
                                                            : "yes";
  bool moves = device.verdict == Verdict::kTakes || device.verdict == Verdict::kUnheard;
  std::string size = device.bytes == 0 ? "not made yet" : bytes_text(device.bytes);
  return {device.device, device.batch ? std::to_string(*device.batch) : "-", word + device.why,
          moves ? size : ""};
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
  TRY(check_wish(wish));
  TRY_ASSIGN(CheckedBundle checked, session.bundle(bundle_name(bundle)));
  TRY_ASSIGN(RolloutPlan plan, planned(session, checked, wish, 1, lan_rate));
  TRY_ASSIGN(auto rollouts, rollouts_of(session));
  auto before = ended_badly(rollouts, checked.manifest.target_name());
  if (auto refused = plan.refused(); !refused.empty()) {
    session.call_attention(fmt::format("cannot take it: {}", fmt::join(refused, ", ")));
  }
  if (auto dead = plan.dead(); !dead.empty()) {
    session.call_attention(fmt::format("NOT INFERRING: {}", fmt::join(dead, ", ")));
  }
  if (session.json()) {
    if (!plan.directive.ok()) return plan.directive.error();
    session.out() << plan_json(checked, plan, before).dump() << "\n";
    return ok();
  }
  std::vector<std::vector<std::string>> rows;
  for (const PlannedDevice& device : plan.devices) rows.push_back(plan_cells(device));
  session.out() << fmt::format("{} {} (release {}), signed by the vendor: verified here\n",
                               checked.manifest.name, checked.manifest.version,
                               checked.manifest.release)
                << fmt::format("manifest {}\n\n", checked.digest.hex())
                << table({"NODE", "BATCH", "CAN TAKE IT", "DELIVERY"}, rows)
                << fmt::format("\nWAN     {}\nLAN     {} to {} devices together\nORIGIN  {}\n",
                               wan_text(checked.plan), bytes_text(plan.forecast.lan_bytes),
                               plan.forecast.devices, origin_text(checked.plan.origin));
  if (before) {
    session.out() << fmt::format("BEFORE  rollout {} of this bundle ended: {}: {}\n",
                                 before->sequence, safe(before->stage, 20),
                                 safe(before->reason, 300));
  }
  TRY_ASSIGN(trust::Directive draft, plan.directive);
  auto seconds = [](std::int64_t count) { return duration_text(std::chrono::seconds(count)); };
  session.out() << fmt::format(
      "TIME    about {} of transfer, {} of staging, checks and trials, {} of soak; {} steps "
      "(canaries {})\n",
      seconds(plan.forecast.transfer_seconds), seconds(plan.forecast.work_seconds),
      duration_text(draft.soak), draft.batch_count(), fmt::join(draft.canaries, ", "));
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
    TRY_ASSIGN(name, last_good_bundle(session));
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
