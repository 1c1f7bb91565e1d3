// SPDX-License-Identifier: Apache-2.0
// What a rollout would do, before anything moves or is signed: which devices can take the bundle,
// which cannot and why, how many bytes and how much time. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/trust/manifest.h"
#include "proto/trust/roster.h"
#include "seeder/ctl/drafts.h"
#include "seeder/operator_api.h"

namespace lineside::ctl {

enum class Verdict {
  kTakes,    // can take it
  kHolds,    // runs it already: nothing to do
  kUnheard,  // enrolled, but it has not said yet what it holds: it may turn out either way
  kRefused,  // is meant and cannot: `why`
  kNotMeant  // the bundle is not for it, or the selectors leave it out
};
// "takes", "holds", "unheard", "refused", "not-meant".
std::string_view verdict_name(Verdict verdict);

struct PlannedDevice {
  std::string device;
  Verdict verdict = Verdict::kTakes;
  std::string why;
  bool infers = true;                  // kHolds: what it runs does
  std::uint64_t bytes = 0;             // smallest delivery from what it holds; 0: not made yet
  std::optional<std::uint32_t> batch;  // in the draft
};

// Kept with the rollout and compared with what became of it.
struct RolloutPlan {
  std::vector<PlannedDevice> devices;  // by id
  Result<trust::Directive> directive;  // the draft; an error if it cannot be made
  seeder::Forecast forecast;

  [[nodiscard]] std::vector<std::string> refused() const;
  // They run the bundle and do not infer: rolling it out mends nothing that is not damaged.
  [[nodiscard]] std::vector<std::string> dead() const;
};

struct PlanInput {
  const trust::Roster& roster;
  const std::vector<seeder::NodeRow>& nodes;
  const trust::Manifest& manifest;
  Digest manifest_digest;
  const seeder::PlanView& view;  // of the gateway
  std::int64_t sequence = 1;
  UtcTime now{};
  std::uint64_t lan_rate = 100'000'000 / 8;  // bytes a second that one node's link carries
};

// With wish.skip_refused the draft is without the refused devices. Errors of the wish and of the
// draft are in RolloutPlan::directive, since the rest is worth showing all the same.
RolloutPlan plan_rollout(const PlanInput& input, const RolloutWish& wish);

// What `rollout start` may sign: the draft. kIncompatible naming the refused devices, unless they
// are left out.
Result<trust::Directive> signable(const RolloutPlan& plan, const RolloutWish& wish);

// The newest rollout of `bundle`, if it ended badly: what failed may fail again.
std::optional<seeder::RolloutSummary> ended_badly(
    const std::vector<seeder::RolloutSummary>& rollouts, const std::string& bundle);

// Why a device cannot take the bundle; nullopt if it can, or if it was not heard of yet. `bytes`
// is what has to be delivered to it.
std::optional<std::string> obstacle(const seeder::NodeRow& node, const trust::Manifest& manifest,
                                    std::uint64_t bytes);

}  // namespace lineside::ctl
