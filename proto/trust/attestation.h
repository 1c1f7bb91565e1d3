// SPDX-License-Identifier: Apache-2.0
// What a device says of its own inference check: in-toto Statement v1, predicate test-result v0.1,
// in DSSE (kInTotoType), signed with the device's key.
//
// A canary makes exactly one for a directive, when its outcome is known: PASSED after its trial is
// confirmed, FAILED when check or trial failed. A failure that is withheld therefore opens nothing:
// there is no earlier PASSED that it would have to take back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/trust/directive.h"
#include "proto/trust/dsse.h"
#include "proto/trust/manifest.h"
#include "proto/trust/roster.h"

namespace lineside::trust {

enum class Outcome { kPassed, kWarned, kFailed };

struct Attestation {
  std::string bundle;  // subject name: the manifest's target name
  Digest manifest;     // subject sha256
  Digest check;        // configuration: validation/probe.json
  Digest golden;       // configuration: the golden inputs and outputs
  Digest directive;    // configuration: the directive's payload
  Outcome outcome = Outcome::kFailed;
  std::vector<std::string> passed_tests;
  std::vector<std::string> failed_tests;

  // Extension object "linesideRun" in the predicate.
  std::string device;
  std::vector<std::string> hardware;
  std::int64_t directive_sequence = 0;
  UtcTime started{};
  UtcTime finished{};
  std::int64_t counter = 0;                     // rises with each attestation of this device
  TreeId tree;                                  // read back from disk after activation
  std::uint64_t inferences = 0;                 // counted between switch and confirmation
  std::string cause;                            // first failed check in words, empty when passed
  std::map<std::string, std::string> measured;  // "latency.p50_us" -> "73.1", for people
  bool operator==(const Attestation&) const = default;
};

Bytes serialise(const Attestation& attestation);  // the Statement
Result<Attestation> parse_attestation(BytesView statement);
Result<Bytes> seal_attestation(const Attestation& attestation, const PrivateKey& device);

struct VerifiedAttestation {
  Attestation attestation;
  Digest digest;
  Bytes envelope;
};
inline constexpr std::uint64_t kMaxAttestationBytes = 1ULL << 20;

// Opens with the key that the roster has for attestation.device; the envelope must carry its key id
// (seal_attestation's do). kTooLarge past kMaxAttestationBytes or 8 signatures; kUnknownKey if
// nobody in the roster signed it or the signer is revoked; kWrongDevice if the signer is another
// than it says.
Result<VerifiedAttestation> verify_attestation(BytesView envelope, const Roster& roster);

}  // namespace lineside::trust
