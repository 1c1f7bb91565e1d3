// SPDX-License-Identifier: Apache-2.0
// A directive and the devices it means, for tests of the planner: they report what the test says.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "seeder/rollout_planner.h"

namespace lineside::seeder {

inline constexpr UtcTime kStart{std::chrono::seconds(1'790'000'000)};

inline trust::Directive make_directive(unsigned devices, unsigned canaries, unsigned batch) {
  trust::Directive directive;
  directive.site = "plant-7";
  directive.sequence = 4;
  directive.not_before = kStart;
  directive.expires = kStart + std::chrono::hours(24 * 7);
  directive.bundle = "vision/2.0.0.json";
  directive.manifest = sha256(as_bytes("manifest"));
  for (unsigned i = 0; i < devices; ++i) directive.devices.push_back(fmt::format("cam{:03}", i));
  for (unsigned i = 0; i < canaries; ++i) directive.canaries.push_back(fmt::format("cam{:03}", i));
  directive.batch_size = batch;
  directive.failure_limit = {4, 25};
  directive.device_deadline = std::chrono::seconds(600);
  return directive;
}

// A site whose devices do what the test says.
class Floor {
 public:
  explicit Floor(trust::Directive of) : directive(std::move(of)), state(begin_rollout(directive)) {
    seen.now = kStart;
    seen.supplied = true;
    seen.gate = "0 of the canaries passed";
    for (const auto& id : directive.devices) report(id, "fetching");
  }

  void report(const std::string& id, const std::string& life, const std::string& error = "") {
    DeviceNews news;
    news.state = life;
    news.directive_sequence = directive.sequence;
    news.heard = seen.now;
    if (life == "confirmed") news.manifest = directive.manifest;
    if (!error.empty()) news.code = "check-failed";
    news.error = error;
    seen.devices[id] = news;
  }

  std::vector<Decision> step() {
    Planned planned = advance(state, directive, seen);
    state = planned.state;
    return planned.decisions;
  }

  void give(Command what) {
    Result<Planned> planned = command(state, what, "operator", seen.now);
    ASSERT_TRUE(planned.ok()) << planned.error().describe();
    state = planned->state;
  }

  void confirm_batch(std::uint32_t batch) {
    for (const auto& id : directive.devices) {
      if (directive.batch_of(id) == batch) report(id, "confirmed");
    }
  }

  void pass_gate() {
    step();
    confirm_batch(0);
    seen.gate_open = true;
    step();
  }

  trust::Directive directive;
  RolloutState state;
  Observation seen;
};

}  // namespace lineside::seeder
