// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/gate.h"

#include <algorithm>
#include <set>

namespace lineside::trust {
namespace {

// What all checks of one evaluation need.
struct Case {
  const VerifiedDirective& directive;
  const Digest& manifest_digest;
  const Manifest& manifest;
  const Roster& roster;
  UtcTime now;
};

struct Finding {
  Evidence evidence = Evidence::kMissing;
  std::string why;
};

// Why the roster does not let this canary vouch; empty if it does.
std::string disqualified(const Roster& roster, const std::string& id) {
  const Device* device = roster.find(id);
  if (device == nullptr) return "not in the roster";
  if (device->revoked) return "revoked";
  if (!device->canary) return "not a canary in the roster";
  return "";
}

// The roster's part that may vouch under this directive: only their keys are tried, so that a flood
// of envelopes costs little and nobody else's word is even read.
Roster panel_of(const Case& c) {
  Roster panel;
  panel.site = c.roster.site;
  for (const std::string& id : c.directive.directive.canaries) {
    if (disqualified(c.roster, id).empty()) panel.devices.push_back(*c.roster.find(id));
  }
  std::sort(panel.devices.begin(), panel.devices.end(),
            [](const Device& left, const Device& right) { return left.id < right.id; });
  return panel;
}

std::string missing_test(const Manifest& manifest, const Attestation& attestation) {
  const std::vector<std::string>& passed = attestation.passed_tests;
  for (const std::string& test : manifest.required_tests) {
    if (std::find(passed.begin(), passed.end(), test) == passed.end()) return test;
  }
  return "";
}

Finding failed(const Attestation& attestation) {
  if (!attestation.cause.empty()) return {Evidence::kFailed, "failed: " + attestation.cause};
  if (!attestation.failed_tests.empty()) {
    return {Evidence::kFailed, "failed: " + attestation.failed_tests.front()};
  }
  return {Evidence::kFailed, "failed"};
}

// One attestation that its device did sign. What it is about comes first: only a word about this
// very manifest and directive can fail the canary, and only one about everything can pass it.
Finding judge(const Case& c, const Attestation& attestation) {
  auto invalid = [](std::string why) { return Finding{Evidence::kInvalid, std::move(why)}; };
  if (attestation.manifest != c.manifest_digest) return invalid("attests another manifest");
  if (attestation.directive != c.directive.digest) return invalid("attests another directive");
  if (attestation.outcome == Outcome::kFailed) return failed(attestation);
  if (!attestation.failed_tests.empty()) return failed(attestation);
  if (attestation.check != c.manifest.check) return invalid("ran another check");
  if (attestation.golden != c.manifest.golden) return invalid("ran on another golden set");
  if (attestation.outcome != Outcome::kPassed) return invalid("its result is not PASSED");
  if (attestation.tree != c.manifest.tree) return invalid("read back another tree from its disk");
  std::string test = missing_test(c.manifest, attestation);
  if (!test.empty()) return invalid("did not run the required test \"" + test + "\"");
  return {Evidence::kPassed, ""};
}

// FAILED outweighs PASSED, PASSED outweighs what says nothing.
int weight(Evidence evidence) {
  switch (evidence) {
    case Evidence::kMissing:
      return 0;
    case Evidence::kInvalid:
      return 1;
    case Evidence::kPassed:
      return 2;
    case Evidence::kFailed:
      return 3;
  }
  return 3;
}

void take_word(const Case& c, const Attestation& attestation, CanaryEvidence& canary) {
  Finding finding = judge(c, attestation);
  if (finding.evidence == Evidence::kPassed) {
    canary.finished =
        std::max(canary.finished.value_or(attestation.finished), attestation.finished);
  }
  if (weight(finding.evidence) <= weight(canary.evidence)) return;
  canary.evidence = finding.evidence;
  canary.why = std::move(finding.why);
}

std::vector<CanaryEvidence> blank_evidence(const Case& c) {
  std::vector<CanaryEvidence> canaries;
  for (const std::string& id : c.directive.directive.canaries) {
    CanaryEvidence canary{.device = id, .why = disqualified(c.roster, id), .finished = {}};
    if (!canary.why.empty()) canary.evidence = Evidence::kInvalid;
    if (canary.why.empty()) canary.why = "missing";
    canaries.push_back(std::move(canary));
  }
  return canaries;
}

void read_envelopes(const Case& c, const std::vector<Bytes>& envelopes, GateState& state) {
  Roster panel = panel_of(c);
  for (std::size_t i = 0; i < envelopes.size(); ++i) {
    auto verified = verify_attestation(envelopes[i], panel);
    if (!verified.ok()) {
      state.refused.push_back("envelope " + std::to_string(i) + ": " + verified.error().describe());
      continue;
    }
    for (CanaryEvidence& canary : state.canaries) {
      if (canary.device == verified->attestation.device) {
        take_word(c, verified->attestation, canary);
      }
    }
  }
}

// Every class on the floor needs a canary of that class: "works on one board" says nothing of
// another.
std::vector<std::string> uncovered_classes(const Case& c) {
  std::set<std::string> covered;
  for (const std::string& id : c.directive.directive.canaries) {
    const Device* canary = c.roster.find(id);
    if (canary != nullptr) covered.insert(canary->hardware.begin(), canary->hardware.end());
  }
  std::set<std::string> uncovered;
  for (const std::string& id : c.directive.directive.devices) {
    const Device* device = c.roster.find(id);
    if (device == nullptr || device->revoked) continue;
    for (const std::string& name : device->hardware) {
      if (!covered.contains(name)) uncovered.insert(name);
    }
  }
  return {uncovered.begin(), uncovered.end()};
}

std::string mismatch(const Case& c) {
  if (c.directive.directive.manifest != c.manifest_digest) {
    return "the directive names another manifest";
  }
  if (c.directive.directive.canaries.empty()) return "the directive names no canary";
  if (c.manifest.required_tests.empty()) return "the manifest requires no test";
  if (c.directive.directive.site != c.roster.site) {
    return "directive and roster are of different sites";
  }
  return "";
}

bool all_passed(const GateState& state) {
  return !state.canaries.empty() && std::all_of(state.canaries.begin(), state.canaries.end(),
                                                [](const CanaryEvidence& canary) {
                                                  return canary.evidence == Evidence::kPassed &&
                                                         canary.finished.has_value();
                                                });
}

// Only for a state in which all canaries passed.
void soak(const Case& c, GateState& state) {
  bool ahead = false;
  UtcTime start = c.directive.directive.not_before;
  for (CanaryEvidence& canary : state.canaries) {
    start = std::max(start, std::min(*canary.finished, c.now));
    if (*canary.finished <= c.now) continue;
    ahead = true;
    canary.why = "says that it finished at " + format_utc(*canary.finished) + ", which is to come";
  }
  state.opens_at = start + c.directive.directive.soak;
  state.open = !ahead && c.now >= *state.opens_at;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

}  // namespace

std::string GateState::describe() const {
  if (open) return "open";
  std::vector<std::string> parts;
  if (!fault.empty()) parts.push_back(fault);
  auto passed = std::count_if(canaries.begin(), canaries.end(), [](const CanaryEvidence& canary) {
    return canary.evidence == Evidence::kPassed;
  });
  if (opens_at) {
    parts.push_back("soaking until " + format_utc(*opens_at));
  } else {
    parts.push_back(std::to_string(passed) + " of " + std::to_string(canaries.size()) +
                    " canaries passed");
  }
  for (const CanaryEvidence& canary : canaries) {
    if (!canary.why.empty()) parts.push_back(canary.device + ": " + canary.why);
  }
  if (!uncovered.empty()) parts.push_back("no canary of hardware class " + join(uncovered, ", "));
  return join(parts, "; ");
}

GateState evaluate_gate(const VerifiedDirective& directive, const Digest& manifest_digest,
                        const Manifest& manifest, const Roster& roster,
                        const std::vector<Bytes>& envelopes, UtcTime now) {
  Case c{directive, manifest_digest, manifest, roster, now};
  GateState state;
  state.fault = mismatch(c);
  state.canaries = blank_evidence(c);
  read_envelopes(c, envelopes, state);
  state.uncovered = uncovered_classes(c);
  if (state.fault.empty() && state.uncovered.empty() && all_passed(state)) soak(c, state);
  return state;
}

}  // namespace lineside::trust
