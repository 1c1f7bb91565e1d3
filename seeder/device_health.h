// SPDX-License-Identifier: Apache-2.0
// Does a device do its work now? DESIGN idea 7: alive means inferring. Pure.
//
// This is about the present moment, an Ending (rollout_planner.h) about one rollout: a device that
// was confirmed last week and infers no more is kNotInferring, and nothing hides it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "seeder/operator_api.h"

namespace lineside::seeder {

enum class Health {
  kInferring,     // the last check or heartbeat of what it runs was good
  kUpdating,      // on its way to another bundle, in a rollout that goes on; what it runs infers
  kFailed,        // the last update failed or was rolled back; what it runs infers, if anything
  kNotInferring,  // runs a bundle whose last live check failed
  kDamaged,       // infers, but what it runs is not what was signed: tampered with, or rotten
  kSilent,        // not heard of for kSilentAfter, or never
  kEmpty,         // enrolled and heard of, nothing installed yet
  kRevoked,
};
inline constexpr std::chrono::seconds kSilentAfter{120};

// "inferring", "updating", "failed", "not-inferring", "damaged", "silent", "empty", "revoked".
std::string_view health_name(Health health);
// kSilent for an unknown name.
Health health_from(std::string_view name);
// A state of the life table in which a bundle is worked on and nothing is switched yet.
[[nodiscard]] bool before_switch(std::string_view state);
// kFailed, kNotInferring, kDamaged or kSilent: somebody has to look.
[[nodiscard]] bool needs_attention(Health health);

// `listening`: since when the gateway has been there to hear anybody. Nobody is silent before it
// has listened for kSilentAfter.
Health health_of(const NodeRow& node, UtcTime now, UtcTime listening);

// health_name -> devices, every name but "revoked" present.
std::map<std::string, std::int64_t> count_health(const std::vector<NodeRow>& nodes);

// How the device is damaged and the way out: its bundle is rolled out again, to it alone.
std::string damage_text(const NodeRow& node);

// The words of the event when a device goes from one to the other: empty if it is none. Only
// kNotInferring, kDamaged and kSilent, and the end of each, are events.
std::string describe_change(Health before, const NodeRow& node);

}  // namespace lineside::seeder
