// SPDX-License-Identifier: Apache-2.0
// Each test but the first three is one way in which the gate must stay shut.
#include "proto/trust/gate.h"

#include <gtest/gtest.h>

#include "tests/fakes/signed_site.h"

namespace lineside::trust {
namespace {

using fakes::at;
using fakes::SignedSite;

class Gate : public ::testing::Test {
 protected:
  GateState evaluate() {
    return evaluate_gate(site.verified(), site.manifest_digest(), site.manifest, site.roster,
                         envelopes, now);
  }
  void say(const Attestation& attestation) { envelopes.push_back(site.seal(attestation)); }
  void both_pass() {
    say(site.passed("cam01"));
    say(site.passed("ipc01"));
  }
  // cam01 says what `change` makes of its PASSED, ipc01 an ordinary PASSED.
  template <class Change>
  GateState with(Change change) {
    Attestation attestation = site.passed("cam01");
    change(attestation);
    say(attestation);
    say(site.passed("ipc01"));
    return evaluate();
  }
  static void expect_shut(const GateState& state, Evidence evidence, const std::string& why) {
    EXPECT_FALSE(state.open);
    ASSERT_EQ(state.canaries.size(), 2U);
    EXPECT_EQ(state.canaries[0].evidence, evidence);
    EXPECT_NE(state.canaries[0].why.find(why), std::string::npos) << state.canaries[0].why;
    EXPECT_NE(state.describe().find("1 of 2 canaries passed; cam01: "), std::string::npos)
        << state.describe();
    EXPECT_FALSE(state.opens_at.has_value());
  }

  SignedSite site;
  std::vector<Bytes> envelopes;
  UtcTime now = at("2026-11-22T10:50:00Z");  // both finished at 10:20, the soak is 30 minutes
};

TEST_F(Gate, OpensWhenAllCanariesPassedAndTheSoakIsOver) {
  both_pass();
  GateState state = evaluate();
  EXPECT_TRUE(state.open) << state.describe();
  EXPECT_EQ(state.describe(), "open");
  EXPECT_EQ(state.opens_at, now);
  EXPECT_TRUE(state.refused.empty());
}

TEST_F(Gate, OpensAlsoWhenACanarySaysPassedTwice) {
  both_pass();
  Attestation again = site.passed("cam01");
  again.finished = at("2026-11-22T10:25:00Z");
  again.counter = 6;
  say(again);
  EXPECT_FALSE(evaluate().open);  // the later word counts for the soak
  now = at("2026-11-22T10:55:00Z");
  EXPECT_TRUE(evaluate().open);
}

TEST_F(Gate, IgnoresRubbishBesideGoodEvidenceAndNamesIt) {
  envelopes.push_back(to_bytes("not an envelope"));
  envelopes.push_back({});
  both_pass();
  GateState state = evaluate();
  EXPECT_TRUE(state.open);
  ASSERT_EQ(state.refused.size(), 2U);
  EXPECT_NE(state.refused[0].find("envelope 0: malformed"), std::string::npos) << state.refused[0];
}

TEST_F(Gate, StaysShutWithoutAnyEvidence) {
  GateState state = evaluate();
  EXPECT_FALSE(state.open);
  EXPECT_EQ(state.describe(), "0 of 2 canaries passed; cam01: missing; ipc01: missing");
}

TEST_F(Gate, StaysShutWhileOneCanaryIsMissing) {
  say(site.passed("ipc01"));
  expect_shut(evaluate(), Evidence::kMissing, "missing");
}

TEST_F(Gate, StaysShutForAReplayFromAnEarlierDirective) {
  Attestation old = site.passed("cam01");
  site.directive.sequence += 1;
  say(old);
  say(site.passed("ipc01"));
  expect_shut(evaluate(), Evidence::kInvalid, "another directive");
}

TEST_F(Gate, StaysShutForTheSameDirectiveOfOtherContent) {
  both_pass();
  site.directive.soak = std::chrono::seconds(0);  // same sequence, other bytes
  EXPECT_FALSE(evaluate().open);
}

TEST_F(Gate, StaysShutWhenOneCanarySpeaksForAnother) {
  Attestation attestation = site.passed("cam01");
  envelopes.push_back(fakes::must(seal_attestation(attestation, site.key("ipc01"))));
  say(site.passed("ipc01"));
  GateState state = evaluate();
  expect_shut(state, Evidence::kMissing, "missing");
  EXPECT_NE(state.refused.at(0).find("wrong-device"), std::string::npos) << state.refused[0];
}

TEST_F(Gate, StaysShutForAnotherManifest) {
  expect_shut(with([](Attestation& a) { a.manifest = sha256(as_bytes("other")); }),
              Evidence::kInvalid, "another manifest");
}

TEST_F(Gate, StaysShutForAnotherCheck) {
  expect_shut(with([](Attestation& a) { a.check = sha256(as_bytes("true")); }), Evidence::kInvalid,
              "another check");
}

TEST_F(Gate, StaysShutForAnotherGoldenSet) {
  expect_shut(with([](Attestation& a) { a.golden = sha256(as_bytes("easy")); }), Evidence::kInvalid,
              "golden");
}

TEST_F(Gate, StaysShutForAFailedCanary) {
  GateState state = with([](Attestation& a) {
    a.outcome = Outcome::kFailed;
    a.passed_tests = {"load.model"};
    a.failed_tests = {"infer.case.speech"};
    a.cause = "output differs by 0.3";
  });
  expect_shut(state, Evidence::kFailed, "failed: output differs by 0.3");
}

TEST_F(Gate, StaysShutForAFailedBesideAPassed) {
  both_pass();
  Attestation failed = site.passed("cam01");
  failed.outcome = Outcome::kFailed;
  say(failed);
  expect_shut(evaluate(), Evidence::kFailed, "failed");
  std::reverse(envelopes.begin(), envelopes.end());
  expect_shut(evaluate(), Evidence::kFailed, "failed");
}

TEST_F(Gate, StaysShutForAFailedRunOfAnotherCheckBesideAPassed) {
  both_pass();
  Attestation failed = site.passed("cam01");
  failed.outcome = Outcome::kFailed;
  failed.check = sha256(as_bytes("another"));
  say(failed);
  expect_shut(evaluate(), Evidence::kFailed, "failed");
}

TEST_F(Gate, AFailureUnderAnEarlierDirectiveDoesNotCount) {
  Attestation failed = site.passed("cam01");
  failed.outcome = Outcome::kFailed;
  failed.directive = sha256(as_bytes("earlier"));
  say(failed);
  both_pass();
  EXPECT_TRUE(evaluate().open);
}

TEST_F(Gate, StaysShutForPassedWithFailedTests) {
  both_pass();
  Attestation contradictory = site.passed("cam01");
  contradictory.failed_tests = {"mem.peak"};
  say(contradictory);
  expect_shut(evaluate(), Evidence::kFailed, "mem.peak");
}

TEST_F(Gate, StaysShutForAWarning) {
  expect_shut(with([](Attestation& a) { a.outcome = Outcome::kWarned; }), Evidence::kInvalid,
              "not PASSED");
}

TEST_F(Gate, StaysShutForAMissingRequiredTest) {
  expect_shut(with([](Attestation& a) { a.passed_tests.pop_back(); }), Evidence::kInvalid,
              "infer.case.speech");
}

TEST_F(Gate, StaysShutWhenTheTreeOnDiskIsAnother) {
  expect_shut(with([](Attestation& a) { a.tree = sha256(as_bytes("numpy 1.19.5")); }),
              Evidence::kInvalid, "another tree");
}

TEST_F(Gate, StaysShutForAnUnknownSigner) {
  PrivateKey stranger = fakes::must(PrivateKey::generate(Scheme::kEd25519));
  envelopes.push_back(fakes::must(seal_attestation(site.passed("cam01"), stranger)));
  say(site.passed("ipc01"));
  GateState state = evaluate();
  expect_shut(state, Evidence::kMissing, "missing");
  EXPECT_NE(state.refused.at(0).find("unknown-key"), std::string::npos) << state.refused[0];
}

TEST_F(Gate, StaysShutForARevokedCanary) {
  both_pass();
  site.roster.devices[0].revoked = true;
  expect_shut(evaluate(), Evidence::kInvalid, "revoked");
}

TEST_F(Gate, StaysShutForADeviceThatIsNoCanaryInTheRoster) {
  both_pass();
  site.roster.devices[0].canary = false;
  expect_shut(evaluate(), Evidence::kInvalid, "not a canary");
}

TEST_F(Gate, StaysShutForACanaryThatIsNotInTheRoster) {
  both_pass();
  site.roster.devices.erase(site.roster.devices.begin());
  GateState state = evaluate();
  EXPECT_FALSE(state.open);
  EXPECT_EQ(state.canaries[0].why, "not in the roster");
}

TEST_F(Gate, StaysShutForTheWordOfADeviceThatTheDirectiveDoesNotName) {
  say(site.passed("cam02"));
  say(site.passed("ipc01"));
  GateState state = evaluate();
  expect_shut(state, Evidence::kMissing, "missing");
  EXPECT_EQ(state.refused.size(), 1U);
}

TEST_F(Gate, StaysShutForEveryForgedByteOfAnEnvelope) {
  say(site.passed("ipc01"));
  Bytes good = site.seal(site.passed("cam01"));
  for (std::size_t i = 0; i < good.size(); i += 7) {
    Bytes forged = good;
    forged[i] ^= 0x01;
    envelopes = {envelopes[0], forged};
    GateState state = evaluate();
    // White space, key ids and unknown members are under no signature: then nothing else changed.
    if (!state.open) continue;
    EXPECT_EQ(verify_attestation(forged, site.roster)->attestation, site.passed("cam01"));
  }
}

TEST_F(Gate, StaysShutUntilTheSoakIsOver) {
  both_pass();
  now -= std::chrono::seconds(1);
  GateState state = evaluate();
  EXPECT_FALSE(state.open);
  EXPECT_EQ(state.describe(), "soaking until 2026-11-22T10:50:00Z");
}

TEST_F(Gate, CountsTheSoakFromTheLastCanary) {
  say(site.passed("cam01"));
  Attestation late = site.passed("ipc01");
  late.finished = at("2026-11-22T10:45:00Z");
  say(late);
  EXPECT_EQ(evaluate().opens_at, at("2026-11-22T11:15:00Z"));
}

TEST_F(Gate, StaysShutWhileTheClockIsEarlierThanFinished) {
  both_pass();
  now = at("2026-11-22T10:10:00Z");
  GateState state = evaluate();
  EXPECT_FALSE(state.open);
  EXPECT_EQ(state.opens_at, at("2026-11-22T10:40:00Z"));
  EXPECT_NE(state.describe().find("cam01: says that it finished at 2026-11-22T10:20:00Z"),
            std::string::npos)
      << state.describe();
}

TEST_F(Gate, StaysShutForAFutureFinishEvenWithoutSoak) {
  site.directive.soak = std::chrono::seconds(0);
  both_pass();
  now = at("2026-11-22T10:19:59Z");
  EXPECT_FALSE(evaluate().open);
  now = at("2026-11-22T10:20:00Z");
  EXPECT_TRUE(evaluate().open);
}

TEST_F(Gate, ACanaryClockThatIsBehindDoesNotShortenTheSoak) {
  for (const char* id : {"cam01", "ipc01"}) {
    Attestation attestation = site.passed(id);
    attestation.finished = at("1970-01-01T00:00:05Z");
    say(attestation);
  }
  now = at("2026-11-22T09:29:59Z");
  EXPECT_FALSE(evaluate().open);
  EXPECT_EQ(evaluate().opens_at, at("2026-11-22T09:30:00Z"));
}

TEST_F(Gate, StaysShutForAHardwareClassWithoutACanary) {
  site.directive.canaries = {"cam01"};
  say(site.passed("cam01"));
  GateState state = evaluate();
  EXPECT_FALSE(state.open);
  EXPECT_EQ(state.uncovered, std::vector<std::string>{"ipc-x86"});
  EXPECT_NE(state.describe().find("no canary of hardware class ipc-x86"), std::string::npos);
}

TEST_F(Gate, ARevokedDeviceNeedsNoCanaryOfItsClass) {
  site.directive.canaries = {"cam01"};
  site.roster.devices[3].revoked = site.roster.devices[4].revoked = true;
  say(site.passed("cam01"));
  EXPECT_TRUE(evaluate().open);
}

TEST_F(Gate, StaysShutWhenTheDirectiveNamesAnotherManifest) {
  both_pass();
  VerifiedDirective directive = site.verified();
  Digest other = sha256(as_bytes("other"));
  GateState state = evaluate_gate(directive, other, site.manifest, site.roster, envelopes, now);
  EXPECT_FALSE(state.open);
  EXPECT_NE(state.describe().find("names another manifest"), std::string::npos);
}

TEST_F(Gate, StaysShutForADirectiveWithoutCanaries) {
  VerifiedDirective directive = site.verified();
  directive.directive.canaries.clear();
  GateState state =
      evaluate_gate(directive, site.manifest_digest(), site.manifest, site.roster, envelopes, now);
  EXPECT_FALSE(state.open);
}

TEST_F(Gate, StaysShutForAManifestThatRequiresNoTest) {
  both_pass();
  site.manifest.required_tests.clear();
  EXPECT_FALSE(evaluate().open);
}

TEST_F(Gate, StaysShutForTheRosterOfAnotherSite) {
  both_pass();
  site.roster.site = "plant-8";
  EXPECT_FALSE(evaluate().open);
}

}  // namespace
}  // namespace lineside::trust
