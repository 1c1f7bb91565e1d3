// SPDX-License-Identifier: Apache-2.0
// The planner's invariants under random sites: devices that go their way, stop anywhere, fail, fall
// silent or come back, and a network that loses, doubles, delays and reorders what they say.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tests/seeder/rollout_floor.h"

namespace lineside::seeder {
namespace {

using std::chrono::seconds;

constexpr std::array<const char*, 8> kWay = {"idle",  "fetching",   "staging", "checking",
                                             "gated", "activating", "trial",   "confirmed"};
constexpr std::size_t kGated = 4;
constexpr std::size_t kConfirmed = 7;

struct SimulatedDevice {
  std::string id;
  std::size_t at = 0;  // in kWay
  bool failed = false;
  bool dead = false;   // says nothing any more
  bool stuck = false;  // speaks and stays where it is
  std::uint64_t delivered = 0;
};

struct Letter {
  UtcTime arrives{};
  std::string device;
  DeviceNews news;
};

class RandomSite {
 public:
  explicit RandomSite(unsigned seed)
      : random_(seed),
        floor(make_directive(1 + pick(12), 1, 1 + pick(4))),
        trouble_(pick(4) == 0 ? 0 : 40 + pick(400)) {
    unsigned canaries = 1 + pick(static_cast<unsigned>(floor.directive.devices.size()));
    floor.directive.canaries.assign(floor.directive.devices.begin(),
                                    floor.directive.devices.begin() + canaries);
    floor.directive.soak = seconds(pick(3) * 300);
    floor.directive.expires = kStart + std::chrono::hours(3);
    floor.state = begin_rollout(floor.directive);
    floor.seen.devices.clear();
    for (const auto& id : floor.directive.devices) devices_.emplace_back().id = id;
  }

  // Some seconds pass: devices move and speak, letters arrive, people interfere, the planner looks.
  void tick() {
    floor.seen.now += seconds(1 + pick(60));
    for (SimulatedDevice& device : devices_) live(device);
    deliver();
    look_at_gate();
    if (chance(500)) interfere(Command::kPause);
    if (chance(20)) interfere(Command::kResume);
    if (chance(2000)) interfere(Command::kAbort);
    floor.step();
  }

  std::mt19937 random_;
  Floor floor;

 private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  bool chance(unsigned one_in) { return pick(one_in) == 0; }
  bool trouble() { return trouble_ != 0 && chance(trouble_); }

  void live(SimulatedDevice& device) {
    device.dead = device.dead ? !chance(100) : trouble();
    device.stuck = device.stuck ? !chance(100) : trouble();
    device.failed = device.failed || (device.at > 0 && device.at < kConfirmed && trouble());
    if (device.dead) return;
    bool waits = device.at == kGated && !may_switch(device.id);
    bool rests = device.stuck || device.failed || device.at == kConfirmed || waits;
    if (!rests && chance(3)) ++device.at;
    if (!rests && device.at == 1) device.delivered += pick(1000);
    speak(device);
  }

  bool may_switch(const std::string& id) {
    if (floor.state.withholds()) return false;
    return floor.directive.is_canary(id) ||
           (floor.seen.gate_open && *floor.directive.batch_of(id) < floor.state.batches_open);
  }

  void speak(const SimulatedDevice& device) {
    DeviceNews news;
    news.state = device.failed ? "failed" : kWay[device.at];
    news.directive_sequence = device.at == 0 ? 0 : floor.directive.sequence;
    if (device.at == kConfirmed) news.manifest = floor.directive.manifest;
    news.delivered = device.delivered;
    for (unsigned copies = chance(10) ? 0 : 1 + pick(2); copies > 0; --copies) {
      letters_.push_back({floor.seen.now + seconds(chance(4) ? pick(300) : 0), device.id, news});
    }
  }

  void deliver() {
    std::shuffle(letters_.begin(), letters_.end(), random_);
    std::erase_if(letters_, [&](Letter& letter) {
      if (letter.arrives > floor.seen.now) return false;
      letter.news.heard = floor.seen.now;
      floor.seen.devices[letter.device] = letter.news;
      return true;
    });
  }

  // As trust::evaluate_gate: every canary has confirmed, then the soak.
  void look_at_gate() {
    bool passed = true;
    for (const SimulatedDevice& device : devices_) {
      if (!floor.directive.is_canary(device.id)) continue;
      passed = passed && device.at == kConfirmed && !device.failed;
    }
    if (!passed) return;
    if (!passed_at_) passed_at_ = floor.seen.now;
    floor.seen.gate_open = floor.seen.now >= *passed_at_ + floor.directive.soak;
    floor.seen.soaking = !floor.seen.gate_open;
  }

  void interfere(Command what) {
    Result<Planned> planned = command(floor.state, what, "operator", floor.seen.now);
    if (planned.ok()) floor.state = planned->state;
  }

  std::vector<SimulatedDevice> devices_;
  std::vector<Letter> letters_;
  std::optional<UtcTime> passed_at_;
  unsigned trouble_;  // one in so many; 0 for none
};

bool above_limit(const RolloutState& state, const trust::Directive& directive) {
  std::uint32_t executed = state.failures() + state.count(Ending::kConfirmed);
  return state.failures() > state.tolerated_failures &&
         executed >= directive.failure_limit.minimum_executed &&
         state.failures() * 100 > directive.failure_limit.percent * executed;
}

class RolloutProperties : public ::testing::TestWithParam<unsigned> {
 protected:
  // What must hold of every step from `before` to the present state.
  void check_step(const RolloutState& before) {
    const RolloutState& now = site.floor.state;
    const trust::Directive& directive = site.floor.directive;
    ASSERT_GE(now.batches_open, before.batches_open);
    ASSERT_LE(now.batches_open, directive.batch_count());
    ASSERT_TRUE(!has_ended(before.stage) || now.stage == before.stage);
    if (now.batches_open > std::max(before.batches_open, 1U)) {
      ASSERT_TRUE(site.floor.seen.gate_open) << "a batch opened before canaries and soak";
      ASSERT_FALSE(above_limit(now, directive)) << "a batch opened above the failure limit";
      ASSERT_LT(site.floor.seen.now, directive.expires);
    }
    if (has_ended(before.stage) || (before.paused && now.paused)) {
      ASSERT_EQ(now.batches_open, before.batches_open);
    }
    for (const auto& id : directive.devices) {
      if (before.batches_open < now.batches_open && *directive.batch_of(id) < before.batches_open) {
        ASSERT_NE(now.outcomes.at(id).ending, Ending::kPending) << id;
      }
    }
  }

  RandomSite site{GetParam()};
};

TEST_P(RolloutProperties, HoldAndEveryDeviceComesToANamedEnding) {
  Floor& floor = site.floor;
  while (floor.seen.now < floor.directive.expires + floor.directive.device_deadline * 3) {
    RolloutState before = floor.state;
    ASSERT_NO_FATAL_FAILURE(site.tick());
    ASSERT_NO_FATAL_FAILURE(check_step(before));
    ASSERT_TRUE(floor.step().empty()) << "a second look at the same facts decided something";
  }
  Result<RolloutState> back = parse_rollout_state(as_bytes(serialise(floor.state)));
  EXPECT_TRUE(back.ok() && *back == floor.state);
  EXPECT_TRUE(has_ended(floor.state.stage)) << stage_name(floor.state.stage);
  EXPECT_EQ(floor.state.count(Ending::kPending), 0U) << serialise(floor.state);
}

TEST_P(RolloutProperties, WithoutAnotherWordEveryDeviceEndsToo) {
  Floor& floor = site.floor;
  for (int i = 0; i < 40; ++i) site.tick();
  for (int i = 0; i < 100; ++i) {
    floor.seen.now += floor.directive.device_deadline;
    floor.step();
  }
  EXPECT_TRUE(has_ended(floor.state.stage));
  EXPECT_EQ(floor.state.count(Ending::kPending), 0U) << serialise(floor.state);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RolloutProperties, ::testing::Range(0U, 60U));

}  // namespace
}  // namespace lineside::seeder
