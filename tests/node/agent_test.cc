// SPDX-License-Identifier: Apache-2.0
// The whole agent against a gateway in memory: signed documents, real trees, deliveries and slots;
// the sandbox alone is a fake, since check_test.cc runs the real one.
#include "node/agent.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "delta/make_delivery.h"
#include "delta/scan.h"
#include "node/slots/directory_slots.h"
#include "proto/trust/tuf/repository.h"
#include "tests/fakes/failing_disk.h"
#include "tests/fakes/fake_gateway.h"
#include "tests/fakes/manual_clock.h"
#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::node {
namespace {

using fakes::at;
using fakes::must;
using trust::PrivateKey;
using trust::Scheme;

template <class T>
void must_ok(const T& result) {
  if (!result.ok()) throw std::runtime_error(result.error().describe());
}

// Says what it is told of a tree; remembers what it was asked.
class FakeChecker final : public Checker {
 public:
  Result<CheckReport> run(const CheckRequest& request, std::stop_token) const override {
    ++runs;
    CheckReport report;
    report.verdict = Verdict::kPass;
    bool is_current = std::filesystem::weakly_canonical(request.tree) ==
                      std::filesystem::weakly_canonical(current);
    if (!bad_version.empty() && request.manifest->version == bad_version &&
        (is_current || !only_when_current) && runs >= bad_from_run) {
      if (verdict == Verdict::kFail) report.fail("infer.case.speech", "0.5");
      report.verdict = verdict;
      report.cause = "infer.case.speech: 0.5";
      return report;
    }
    report.pass("load.model");
    report.pass("infer.case.speech");
    return report;
  }
  Path current;
  std::string bad_version;
  bool only_when_current = false;
  int bad_from_run = 0;
  Verdict verdict = Verdict::kFail;
  mutable int runs = 0;
};

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    trust::RootSpec spec;
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      spec.roles[role] = {{boss_.public_key()}, 1};
    }
    Bytes root = must(trust::sign_metadata(must(trust::draft_root(spec, 1, start_)), boss_));
    dir_.write("site/1.root.json", std::string(as_text(root)));
    repository_ = std::make_unique<trust::Repository>(*disk_, dir_ / "vendor");
    must_ok(repository_->create(root, {&boss_}, {}, start_));
    gateway_ = std::make_unique<fakes::FakeGateway>(*disk_, dir_ / "site", dir_ / "vendor");
    transport_ = std::make_unique<fakes::FakeTransport>(*gateway_);
    config_.device = "cam01";
    config_.hardware = {"ipc-x86"};
    config_.state = dir_ / "state";
    config_.anchors = {"plant-7", dir_ / "site/1.root.json", dir_ / "site/1.root.json"};
    config_.poll_floor = std::chrono::milliseconds(1);
    config_.live_check = std::chrono::hours(10'000);
    checker_.current = dir_ / "state/current";
    make_roster(1, true);
    publish("1.0.0", 1);
    publish("2.0.0", 2);
    gateway_->reply.batches_open = 10;
    gateway_->reply.poll_ms = 1;
  }

  void make_roster(std::int64_t version, bool canary) {
    trust::Roster roster;
    roster.site = "plant-7";
    roster.version = version;
    roster.issued = start_;
    roster.gateways = {boss_.public_key()};
    auto member = [&](const char* id, const PrivateKey& key, bool is_canary) {
      return trust::Device{.id = id,
                           .key = key.public_key(),
                           .hardware = {"ipc-x86"},
                           .groups = {},
                           .canary = is_canary};
    };
    roster.devices = {member("cam01", key_, canary), member("cam02", other_, true)};
    roster_ = roster;
    gateway_->roster_envelope =
        must(trust::seal(trust::kRosterType, trust::serialise(roster), {&boss_}));
    gateway_->reply.roster_version = version;
  }

  void publish(const std::string& version, std::int64_t release,
               const std::vector<std::string>& hardware = {"ipc-x86"}) {
    std::string tree = "trees/" + version + "/";
    dir_.write(tree + "firmware/image", "firmware " + version + std::string(40'000, 'f'));
    dir_.write(tree + "runtime/numpy.py", "version = '" + version + "'");
    dir_.write(tree + "models/vad.onnx", "model");
    dir_.write(tree + "validation/probe.json", "{}");
    trust::Listing listing = must(delta::scan_tree(*disk_, dir_ / ("trees/" + version), 1));
    Bytes bytes = trust::serialise(listing);
    trust::Manifest manifest;
    manifest.name = "vision";
    manifest.version = version;
    manifest.release = release;
    manifest.security_floor = release;
    manifest.vendor = "acme.example";
    manifest.hardware = hardware;
    manifest.listing_length = bytes.size();
    manifest.tree = trust::tree_id(listing);
    manifest.tree_length = listing.total_length();
    manifest.check = sha256(as_bytes("{}"));
    manifest.golden = trust::part_digest(listing, "validation");
    manifest.required_tests = {"infer.case.speech"};
    Path file = dir_ / ("full-" + version);
    delta::TreeOnDisk target{dir_ / ("trees/" + version), listing};
    delta::MakeOptions options;
    options.effort = 1;
    options.threads = 1;
    must_ok(delta::make_delivery(options, *disk_, std::nullopt, target, file));
    gateway_->offer(sha256({}), manifest.tree, file);
    auto facts = gateway_->offers.at({sha256({}), manifest.tree});
    manifest.deliveries = {{facts.base, facts.target, facts.length, facts.root}};
    must_ok(repository_->publish(
        {{manifest.target_name(), trust::serialise(manifest)}, {manifest.listing_name(), bytes}},
        {&boss_}, {}, start_));
    manifests_[version] = manifest;
  }

  void direct(std::int64_t sequence, const std::string& version,
              const std::vector<std::string>& canaries = {"cam01"}) {
    const trust::Manifest& manifest = manifests_.at(version);
    trust::Directive directive;
    directive.site = "plant-7";
    directive.sequence = sequence;
    directive.issued = directive.not_before = start_;
    directive.expires = start_ + std::chrono::hours(100);
    directive.bundle = manifest.target_name();
    directive.manifest = sha256(trust::serialise(manifest));
    directive.devices = {"cam01", "cam02"};
    directive.canaries = canaries;
    gateway_->directive_envelope =
        must(trust::seal(trust::kDirectiveType, trust::serialise(directive), {&boss_}));
    gateway_->reply.directive_sequence = sequence;
    gateway_->envelopes.clear();
    gateway_->reply.attestations = 0;
  }

  // What the other canary says under the present directive.
  void other_attests(const std::string& version, trust::Outcome outcome) {
    const trust::Manifest& manifest = manifests_.at(version);
    auto directive = must(trust::verify_directive(gateway_->directive_envelope,
                                                  {{boss_.public_key()}, 1}, "plant-7", 1));
    trust::Attestation said;
    said.bundle = manifest.target_name();
    said.manifest = sha256(trust::serialise(manifest));
    said.check = manifest.check;
    said.golden = manifest.golden;
    said.directive = directive.digest;
    said.outcome = outcome;
    said.passed_tests = manifest.required_tests;
    said.device = "cam02";
    said.hardware = {"ipc-x86"};
    said.directive_sequence = directive.directive.sequence;
    said.started = said.finished = start_;
    said.counter = 1;
    said.tree = manifest.tree;
    said.inferences = 1;
    must_ok(gateway_->post_attestation(must(trust::seal_attestation(said, other_))));
  }

  std::unique_ptr<Agent> agent(Disk& disk) {
    slots_ = std::make_unique<DirectorySlots>(disk, config_.state);
    return std::make_unique<Agent>(
        Surroundings{disk, clock_, *gateway_, *transport_, *slots_, checker_}, config_, key_);
  }

  // Ticks until `done` or too many rounds. False if the agent died of its disk.
  bool drive(Agent& agent, const std::function<bool(const Life&)>& done) {
    for (int round = 0; round < 60; ++round) {
      if (!agent.tick().ok()) return false;
      if (done(agent.life())) return true;
      agent.wait(std::chrono::milliseconds(20), {});
      clock_.advance(std::chrono::seconds(3));
    }
    return true;
  }
  Life run_until(State state) {
    auto one = agent(*disk_);
    must_ok(one->start());
    drive(*one, [state](const Life& life) { return life.state == state; });
    for (int i = 0; i < 5; ++i) {  // let what follows settle
      must_ok(one->tick());
      one->wait(std::chrono::milliseconds(20), {});
    }
    return one->life();
  }

  std::string current() { return dir_.read("state/current/runtime/numpy.py"); }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  UtcTime start_ = at("2026-11-22T10:00:00Z");
  fakes::ManualClock clock_{start_ + std::chrono::hours(1)};
  PrivateKey boss_ = must(PrivateKey::generate(Scheme::kEd25519));
  PrivateKey key_ = must(PrivateKey::generate(Scheme::kEd25519));
  PrivateKey other_ = must(PrivateKey::generate(Scheme::kEd25519));
  std::unique_ptr<trust::Repository> repository_;
  std::map<std::string, trust::Manifest> manifests_;
  trust::Roster roster_;
  std::unique_ptr<fakes::FakeGateway> gateway_;
  std::unique_ptr<fakes::FakeTransport> transport_;
  std::unique_ptr<DirectorySlots> slots_;
  FakeChecker checker_;
  NodeConfig config_;
};

TEST_F(AgentTest, ACanaryInstallsAndAttests) {
  direct(1, "1.0.0");
  Life life = run_until(State::kConfirmed);
  ASSERT_EQ(life.state, State::kConfirmed) << life.error;
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_EQ(life.read_back, manifests_.at("1.0.0").tree);
  EXPECT_EQ(life.confirmed->version, "1.0.0");
  ASSERT_EQ(gateway_->envelopes.size(), 1U);
  auto said = must(trust::verify_attestation(gateway_->envelopes[0], roster_)).attestation;
  EXPECT_EQ(said.outcome, trust::Outcome::kPassed);
  EXPECT_EQ(said.tree, manifests_.at("1.0.0").tree);
  EXPECT_EQ(gateway_->pinned, 1U);
  EXPECT_TRUE(gateway_->reports.back().inferring);
  EXPECT_EQ(gateway_->reports.back().tree, manifests_.at("1.0.0").tree);
}

TEST_F(AgentTest, AFailedCheckLeavesTheOldSlotAndIsAttested) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  checker_.bad_version = "2.0.0";
  direct(2, "2.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.state, State::kFailed);
  EXPECT_EQ(life.code, "check-failed");
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_FALSE(must(slots_->has(manifests_.at("2.0.0").tree)));
  ASSERT_EQ(gateway_->envelopes.size(), 1U);
  auto said = must(trust::verify_attestation(gateway_->envelopes[0], roster_)).attestation;
  EXPECT_EQ(said.outcome, trust::Outcome::kFailed);
  // The same directive is not tried again.
  int runs = checker_.runs;
  run_until(State::kConfirmed);
  EXPECT_LE(checker_.runs, runs + 1);  // the live check of the old tree
}

TEST_F(AgentTest, ACheckThatCouldNotRunProvesNothing) {
  checker_.bad_version = "1.0.0";
  checker_.verdict = Verdict::kError;
  direct(1, "1.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.code, "check-error");
  EXPECT_TRUE(gateway_->envelopes.empty());
}

TEST_F(AgentTest, AFailedTrialTakesFirmwareAndRuntimeBackTogether) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  checker_.bad_version = "2.0.0";
  checker_.only_when_current = true;
  direct(2, "2.0.0");
  Life life = run_until(State::kRolledBack);
  EXPECT_EQ(life.state, State::kRolledBack);
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_EQ(dir_.read("state/current/firmware/image").substr(0, 14), "firmware 1.0.0");
  EXPECT_EQ(life.confirmed->version, "1.0.0");
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
}

TEST_F(AgentTest, NoActivationWithoutTheEvidenceOfTheCanary) {
  direct(1, "1.0.0", {"cam02"});
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  EXPECT_EQ(gateway_->reports.back().code, "gate-shut");
  EXPECT_EQ(current(), "");
  other_attests("1.0.0", trust::Outcome::kFailed);
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->envelopes.clear();
  other_attests("1.0.0", trust::Outcome::kPassed);
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  EXPECT_EQ(gateway_->envelopes.size(), 1U);  // this device is no canary and attests nothing
}

TEST_F(AgentTest, TheGatewayCanWithholdTheTurn) {
  direct(1, "1.0.0");
  gateway_->reply.batches_open = 0;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->reply.batches_open = 1;
  gateway_->reply.paused = true;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->reachable = false;
  gateway_->reply.paused = false;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->reachable = true;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
}

TEST_F(AgentTest, ANewerDirectiveTakesOver) {
  direct(1, "1.0.0", {"cam02"});
  ASSERT_EQ(run_until(State::kGated).state, State::kGated);
  direct(2, "2.0.0");
  Life life = run_until(State::kConfirmed);
  EXPECT_EQ(life.sequence, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentTest, OtherHardwareIsNeverFetched) {
  publish("3.0.0", 3, {"jetson-orin-nano"});
  direct(1, "3.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.code, "wrong-hardware");
  EXPECT_TRUE(transport_->carried.empty());
}

TEST_F(AgentTest, ReleasesBelowTheSecurityFloorAreRefused) {
  direct(1, "2.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "1.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.state, State::kFailed);
  EXPECT_EQ(life.code, "rollback");
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentTest, ALyingDeliveryWastesTimeButChangesNothing) {
  auto& offer = gateway_->offers.at({sha256({}), manifests_.at("1.0.0").tree});
  Path lie = dir_.write("lie", std::string(30'000, 'x'));
  gateway_->offer(sha256({}), offer.target, lie);
  direct(1, "1.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.state, State::kFailed);
  EXPECT_EQ(current(), "");
}

TEST_F(AgentTest, AStrangerAsksToBeEnrolledAndDoesNothingElse) {
  config_.device = "cam99";
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  for (int i = 0; i < 3; ++i) must_ok(one->tick());
  EXPECT_EQ(gateway_->enrolments.size(), 3U);
  EXPECT_TRUE(gateway_->reports.empty());
  EXPECT_EQ(one->life().state, State::kIdle);
}

TEST_F(AgentTest, AForgedDirectiveIsRefused) {
  direct(1, "1.0.0");
  gateway_->directive_envelope =
      must(trust::seal(trust::kDirectiveType, as_bytes("{}"), {&other_}));
  EXPECT_EQ(run_until(State::kFetching).state, State::kIdle);
}

// The power is cut at every write from the first directive to its confirmation, and then again once
// more a few writes later. Every time the device comes up with a whole tree and gets there.
TEST_F(AgentTest, APowerCutAtAnyWriteLosesNothing) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0");
  std::filesystem::copy(
      dir_ / "state", dir_ / "saved",
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  auto done = [](const Life& life) {
    return life.state == State::kConfirmed && life.sequence == 2 && life.attested_sequence == 2;
  };
  bool whole = false;
  for (std::uint64_t cut = 0; !whole && cut < 200; ++cut) {
    std::filesystem::remove_all(dir_ / "state");
    std::filesystem::copy(
        dir_ / "saved", dir_ / "state",
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    gateway_->envelopes.clear();
    fakes::FailingDisk failing(*disk_);
    failing.fail_from(cut);
    {
      auto first = agent(failing);
      whole = first->start().ok() && drive(*first, done) && done(first->life());
    }
    std::string tree = current();
    EXPECT_TRUE(tree == "version = '1.0.0'" || tree == "version = '2.0.0'") << cut << ": " << tree;
    auto second = agent(*disk_);
    must_ok(second->start());
    drive(*second, [&](const Life& life) { return at_rest(life.state) && life.sequence == 2; });
    Life life = second->life();
    // A step that met the dying disk may have been given up; never is there anything between.
    EXPECT_TRUE(at_rest(life.state)) << cut << ": " << state_name(life.state) << life.error;
    std::string expected = life.state == State::kConfirmed ? "2.0.0" : "1.0.0";
    for (int i = 0; i < 5; ++i) {
      must_ok(second->tick());
      second->wait(std::chrono::milliseconds(5), {});
    }
    EXPECT_EQ(current(), "version = '" + expected + "'") << cut << " " << state_name(life.state);
  }
  EXPECT_TRUE(whole);
}

TEST_F(AgentTest, AFailedTrialOfTheRunningTreeLeavesItRunning) {
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [](const Life& life) { return life.attested_sequence == 1; });
  ASSERT_EQ(one->life().state, State::kConfirmed) << one->life().error;
  checker_.bad_version = "1.0.0";
  checker_.bad_from_run = checker_.runs + 2;  // staged it still passes
  direct(2, "1.0.0");
  drive(*one, [](const Life& life) { return life.attested_sequence == 2; });
  EXPECT_EQ(one->life().state, State::kRolledBack);
  for (int i = 0; i < 5; ++i) {
    must_ok(one->tick());
    one->wait(std::chrono::milliseconds(20), {});
  }
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_EQ(must(slots_->current()), manifests_.at("1.0.0").tree);
}

TEST_F(AgentTest, TheRunningTreeMayBeRolledOutAgain) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).sequence, 2);
  direct(3, "2.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [](const Life& life) { return life.attested_sequence == 3; });
  EXPECT_EQ(one->life().state, State::kConfirmed);
  EXPECT_EQ(one->life().previous, manifests_.at("1.0.0").tree);  // still the way back
}

TEST_F(AgentTest, AnAttestationIsPostedUntilTheGatewayHasIt) {
  direct(1, "1.0.0");
  gateway_->knows_directive = false;
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [](const Life& life) { return life.attested_sequence == 1; });
  must_ok(one->tick());
  EXPECT_TRUE(gateway_->envelopes.empty());
  gateway_->knows_directive = true;
  must_ok(one->tick());
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
  must_ok(one->tick());
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
}

TEST_F(AgentTest, ARestartedNodePinsItsGatewaysBeforeItTalks) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  gateway_->pinned = 0;
  auto one = agent(*disk_);
  must_ok(one->start());
  EXPECT_EQ(gateway_->pinned, 1U);
}

TEST_F(AgentTest, ADeviceOfAnotherClassThanTheRosterSaysIsNotSwitched) {
  publish("3.0.0", 3, {"ipc-x86", "jetson-orin-nano"});
  config_.hardware = {"jetson-orin-nano"};
  direct(1, "3.0.0");
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  EXPECT_EQ(gateway_->reports.back().code, "gate-shut");
  EXPECT_NE(gateway_->reports.back().error.find("roster"), std::string::npos);
  EXPECT_EQ(current(), "");
  config_.hardware = {"ipc-x86"};
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
}

// The disk takes no writes from any instant on, and later does again, while the agent lives on.
TEST_F(AgentTest, AFullDiskIsOutlived) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0");
  std::filesystem::copy(
      dir_ / "state", dir_ / "saved",
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  bool whole = false;
  for (std::uint64_t full = 3; !whole && full < 200; full += 5) {
    std::filesystem::remove_all(dir_ / "state");
    std::filesystem::copy(
        dir_ / "saved", dir_ / "state",
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    gateway_->envelopes.clear();
    fakes::FailingDisk failing(*disk_);
    auto one = agent(failing);
    must_ok(one->start());
    failing.fail_from(failing.writes() + full);
    auto done = [](const Life& life) { return at_rest(life.state) && life.sequence == 2; };
    whole = true;
    while (!drive(*one, done)) {
      ASSERT_TRUE(whole) << "a disk that is well again fails";
      whole = false;
      failing.fail_from(std::numeric_limits<std::uint64_t>::max());
      EXPECT_GT(one->recover({Code::kNoSpace, "full"}).count(), 0);
    }
    whole = whole && !failing.failed();
    failing.fail_from(std::numeric_limits<std::uint64_t>::max());
    EXPECT_TRUE(done(one->life())) << full << ": " << state_name(one->life().state);
    std::string expected = one->life().state == State::kConfirmed ? "2.0.0" : "1.0.0";
    for (int i = 0; i < 5; ++i) {
      if (auto next = one->tick(); !next.ok()) one->recover(next.error());
      one->wait(std::chrono::milliseconds(5), {});
      clock_.advance(std::chrono::seconds(10));
    }
    EXPECT_EQ(current(), "version = '" + expected + "'") << full;
  }
  EXPECT_TRUE(whole);
}

TEST_F(AgentTest, OnlyThePresentDeliveryKeepsItsFiles) {
  std::string old = sha256(as_bytes("old")).hex();
  for (const char* suffix : {"", ".resume", ".leaves"}) {
    dir_.write("state/deliveries/" + old + suffix, "half");
  }
  direct(1, "1.0.0");
  Life life = run_until(State::kConfirmed);
  ASSERT_EQ(life.state, State::kConfirmed) << life.error;
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "state/deliveries")) {
    EXPECT_EQ(entry.path().filename().string().find(life.delivery->root.hex()), 0U);
    ++kept;
  }
  EXPECT_GE(kept, 1U);
}

TEST_F(AgentTest, ADeliveryThatStandsStillGivesWayToAnother) {
  auto& offer = gateway_->offers.at({sha256({}), manifests_.at("1.0.0").tree});
  const api::DeliveryOffer good = offer;
  const Path lost = dir_.write("lost", std::string(30'000, 'x'));
  gateway_->offer(sha256({}), good.target, lost);
  const Digest root = offer.root;
  transport_->still = {root};
  direct(1, "1.0.0");
  EXPECT_EQ(run_until(State::kStaging).state, State::kFetching);
  EXPECT_EQ(transport_->carried.count(root), 1U);  // no other is offered
  gateway_->offers[{good.base, good.target}] = good;
  Life life = run_until(State::kConfirmed);
  EXPECT_EQ(life.state, State::kConfirmed) << life.error;
  EXPECT_EQ(life.delivery->root, good.root);
  EXPECT_EQ(transport_->carried.count(root), 0U);
}

}  // namespace
}  // namespace lineside::node
