// SPDX-License-Identifier: Apache-2.0
// The whole agent against a gateway in memory: signed documents, real trees, deliveries and slots;
// the sandbox alone is a fake, since check_test.cc runs the real one.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node/agent.h"
#include "node/slots/directory_slots.h"
#include "proto/trust/tuf/repository.h"
#include "tests/fakes/fake_gateway.h"
#include "tests/fakes/fake_peers.h"
#include "tests/fakes/manual_clock.h"
#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::node {

template <class T>
void must_ok(const T& result) {
  if (!result.ok()) throw std::runtime_error(result.error().describe());
}

// Says what it is told of a tree; remembers what it was asked.
class FakeChecker final : public Checker {
 public:
  Result<CheckReport> run(const CheckRequest& request, std::stop_token stop) const override;

  Path current;
  std::string bad_version;
  bool only_when_current = false;
  int bad_from_run = 0;
  Verdict verdict = Verdict::kFail;
  std::function<void()> when_bad;   // before a bad verdict is given
  bool hangs_when_current = false;  // until it is stopped
  mutable std::atomic<bool> hanging = false;
  mutable std::atomic<int> runs = 0;
};

// Device cam01, an operator, a vendor with bundles vision/1.0.0 and vision/2.0.0, and a gateway
// that offers a full delivery of each.
class AgentSite : public testing::Test {
 protected:
  explicit AgentSite(UtcTime start = fakes::at("2026-11-22T10:00:00Z"));

  // The check of the bundles that are published from now on; a fake checker does not look at it.
  std::string probe_ = "{}";
  std::string probe_program_;

  void make_roster(std::int64_t version, bool canary);
  void publish(const std::string& version, std::int64_t release,
               const std::vector<std::string>& hardware = {"ipc-x86"});
  // Has the gateway offer a delivery between two published bundles.
  void offer_delta(const std::string& from, const std::string& to);
  void direct(std::int64_t sequence, const std::string& version,
              const std::vector<std::string>& canaries = {"cam01"});
  // What the other canary says under the present directive.
  void other_attests(const std::string& version, trust::Outcome outcome);

  std::unique_ptr<Agent> agent(Disk& disk);
  void await_work(Agent& agent);
  // Ticks until `done` or too many rounds. False if the agent died of its disk.
  bool drive(Agent& agent, const std::function<bool(const Life&)>& done);
  // The same until the device is in the state, or for so many rounds.
  void drive_to(Agent& agent, State state, std::int64_t sequence);
  void rounds(Agent& agent, int count);
  // Lets what follows a state settle.
  void settle(Agent& agent);
  // A new agent, driven to the state.
  Life run_until(State state);
  // Of the state folder, and back.
  void save_state();
  void restore_state();

  std::string current() { return dir_.read("state/current/runtime/numpy.py"); }
  [[nodiscard]] trust::TreeId tree(const std::string& version) const {
    return manifests_.at(version).tree;
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  UtcTime start_;
  fakes::ManualClock clock_{start_ + std::chrono::hours(1)};
  trust::PrivateKey boss_ = fakes::must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  const trust::PrivateKey* operator_ = &boss_;  // signs rosters and directives
  UtcTime issued_ = start_;                     // by the operator's clock
  trust::PrivateKey key_ = fakes::must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  trust::PrivateKey other_ = fakes::must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  std::unique_ptr<trust::Repository> repository_;
  std::map<std::string, trust::Manifest> manifests_;
  trust::Roster roster_;
  std::unique_ptr<fakes::FakeGateway> gateway_;
  std::unique_ptr<fakes::FakeTransport> transport_;
  std::unique_ptr<DirectorySlots> slots_;
  fakes::FakePeers peers_;
  FakeChecker checker_;
  NodeConfig config_;
};

}  // namespace lineside::node
