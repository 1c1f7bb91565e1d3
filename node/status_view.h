// SPDX-License-Identifier: Apache-2.0
// What `lineside-node status` says of a device. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "node/life.h"

namespace lineside::node {

struct StatusFacts {
  std::string device;
  std::optional<std::string> fingerprint;  // nullopt: there is no key yet
  std::optional<trust::TreeId> current;    // read from the disk, not from `life`
  Life life;
  bool agent_runs = false;  // else what is told may be old
};

// Confirmed, inferring, and what is confirmed is what runs, or a newer tree is on trial.
bool is_well(const StatusFacts& facts);
// The members of life.json, and "device", "fingerprint", "current", "agent_runs" and
// "not_inferring" ({"cause", "since"}, null for a device that infers or has nothing confirmed).
// What there is nothing of yet is null: no date in 1970, no hash of zeros.
nlohmann::json status_json(const StatusFacts& facts);
// Lines for people.
std::string status_text(const StatusFacts& facts);

}  // namespace lineside::node
