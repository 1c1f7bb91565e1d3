// SPDX-License-Identifier: Apache-2.0
// The gate: DESIGN idea 5. Deny unless everything is there; no "allow unless".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/trust/attestation.h"
#include "proto/trust/directive.h"
#include "proto/trust/manifest.h"
#include "proto/trust/roster.h"

namespace lineside::trust {

enum class Evidence { kMissing, kInvalid, kFailed, kPassed };

struct CanaryEvidence {
  std::string device;
  Evidence evidence = Evidence::kMissing;
  std::string why;                  // for people; empty when passed (but see `finished`)
  std::optional<UtcTime> finished;  // when passed; may be ahead of `now`, then `why` says so
};

struct GateState {
  bool open = false;
  std::optional<UtcTime> opens_at;       // all canaries passed: end of the soak
  std::vector<CanaryEvidence> canaries;  // in the directive's order
  std::vector<std::string> uncovered;    // hardware classes without a canary
  std::vector<std::string> refused;      // "envelope 3: unknown-key: …", those that say nothing
  std::string fault;                     // directive and manifest do not belong together, and how
  // "2 of 3 canaries passed; line3-cam02: missing", "soaking until …", "open".
  [[nodiscard]] std::string describe() const;
};

// For a device outside the canary group. Open if and only if for every canary of the directive the
// roster knows it, not revoked, flagged as canary, and one of `envelopes` is a valid attestation
// that it signed, for exactly this manifest, this directive, this check and golden set, with
// outcome PASSED, no failed test, every required test passed, tree == manifest.tree, and no valid
// FAILED one beside it (a PASSED with failed tests counts as one); and `now` is not before the
// latest `finished` + soak. A `finished` before the directive's `not_before` counts as that: a
// canary whose clock is behind does not shorten the soak. The soak of an attestation that claims a
// time in the future of `now` starts at `now`, again at each call, and the gate stays shut until
// that time has come. Every hardware class that `devices` have in the roster must have a canary
// among them, revoked devices apart. Pure; invalid envelopes are named, never fatal.
GateState evaluate_gate(const VerifiedDirective& directive, const Digest& manifest_digest,
                        const Manifest& manifest, const Roster& roster,
                        const std::vector<Bytes>& envelopes, UtcTime now);

}  // namespace lineside::trust
