// SPDX-License-Identifier: Apache-2.0
// The directive: an operator's word on what to install, where first, and how carefully. Signed
// (DSSE, kDirectiveType). A node obeys the directive with the highest sequence for its site. Going
// back to an older bundle is a new directive with a higher sequence.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/trust/dsse.h"

namespace lineside::trust {

enum class OnFailure { kPause, kRollBack };

struct FailureLimit {
  std::uint32_t minimum_executed = 1;  // nodes that must have ended before the limit counts
  std::uint32_t percent = 0;           // failed nodes above this share stop the rollout
  bool operator==(const FailureLimit&) const = default;
};

struct Directive {
  std::string site;
  std::int64_t sequence = 0;  // 1 to kMaxDocumentNumber, rises with each
  UtcTime issued{};
  UtcTime not_before{};
  UtcTime expires{};                  // no node begins under it afterwards
  std::string bundle;                 // manifest's TUF target name, "vision/2.0.0.json"
  Digest manifest;                    // SHA-256 of the manifest's bytes: what counts
  std::vector<std::string> devices;   // ids, sorted, all that are meant, canaries included
  std::vector<std::string> canaries;  // ids, sorted, a part of `devices`, at least one
  std::chrono::seconds soak{};        // after the last canary's attestation
  std::uint32_t batch_size = 50;      // >= 1
  FailureLimit failure_limit;
  OnFailure on_failure = OnFailure::kPause;
  std::chrono::seconds device_deadline{3600};  // silent or standing still so long: failed

  // Position in the rollout: 0 for canaries, 1, 2, … for the batches of the other devices in order
  // of id; nullopt if the device is not meant. Every party computes the same.
  [[nodiscard]] std::optional<std::uint32_t> batch_of(std::string_view device) const;
  [[nodiscard]] std::uint32_t batch_count() const;  // canaries count as one
  [[nodiscard]] bool is_canary(std::string_view device) const;
  bool operator==(const Directive&) const = default;
};

Bytes serialise(const Directive& directive);
Result<Directive> parse_directive(BytesView payload);

struct VerifiedDirective {
  Directive directive;
  Digest digest;  // of the payload: attestations name it
  Bytes envelope;
};
// Opens and parses; kWrongSite; kRollback if the sequence is below `at_least_sequence`. Expiry is
// the reader's business (verify_current), since what has begun may end after it.
Result<VerifiedDirective> verify_directive(BytesView envelope, const Authority& operators,
                                           std::string_view site, std::int64_t at_least_sequence);
// kExpired if `now` is not in [not_before, expires).
Result<void> verify_current(const Directive& directive, UtcTime now);

}  // namespace lineside::trust
