// SPDX-License-Identifier: Apache-2.0
// What an operator is about to sign: drafted from what he asks for, and said in words. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/result.h"
#include "proto/trust/directive.h"
#include "proto/trust/manifest.h"
#include "proto/trust/roster.h"
#include "seeder/operator_api.h"

namespace lineside::ctl {

struct Acceptance {
  std::string device;
  std::string fingerprint;            // as read from the device itself, not from the gateway
  std::vector<std::string> hardware;  // empty: what the device claims
  std::vector<std::string> groups;
  bool canary = false;
  std::string place;  // "list.csv:3", for errors; empty if it was typed
};

// Is that device in the roster with the key of that fingerprint, and not revoked?
bool is_accepted(const trust::Roster& roster, const Acceptance& wish);

// The next roster with that device in it. kNotFound if nobody waits under that id with that
// fingerprint; kMismatch if the id waits with another one; kExists if id or key is taken already.
Result<trust::Roster> accept_device(const trust::Roster& roster, const Acceptance& wish,
                                    const std::vector<seeder::PendingRow>& pending, UtcTime now);
// The next roster with the device revoked. kNotFound; kConflict if it is revoked already.
Result<trust::Roster> revoke_device(const trust::Roster& roster, const std::string& device,
                                    UtcTime now);
// Lines "DEVICE,FINGERPRINT[,canary][,group=G]…[,hardware=H]…"; '#' begins a comment, and a first
// line "device,fingerprint…" is a heading. kMalformed as "NAME:LINE: what was expected", also for a
// device that comes twice and for a list without any.
Result<std::vector<Acceptance>> parse_acceptances(std::string_view csv, std::string_view name);

struct RolloutWish {
  std::vector<std::string> canaries;  // empty: one flagged canary for each hardware class
  std::vector<std::string> devices;   // empty: all that the bundle fits
  std::vector<std::string> groups;    // with it only devices of these groups
  std::chrono::seconds soak{1800};
  std::uint32_t batch_size = 50;
  trust::FailureLimit failure_limit{5, 10};
  trust::OnFailure on_failure = trust::OnFailure::kPause;
  std::chrono::seconds expires{std::chrono::days(7)};
  std::chrono::seconds device_deadline{3600};
  bool replace = false;       // end a running rollout as superseded
  bool skip_refused = false;  // sign for the devices that can take the bundle
};

// kUsage naming the flag whose value makes no sense, and what would.
Result<void> check_wish(const RolloutWish& wish);

// Codes of check_wish; kWrongHardware if a device is named that the bundle does not fit; kNotFound
// for an unknown one; kGateShut if no canary covers a hardware class (every node's gate would stay
// shut).
Result<trust::Directive> draft_directive(const trust::Roster& roster,
                                         const trust::Manifest& manifest,
                                         const Digest& manifest_digest, const RolloutWish& wish,
                                         std::int64_t sequence, UtcTime now);

// How far above the newest document that this site's operators signed a gateway may name one. Only
// one that was signed by operators who are none any more is there to be learnt from it.
inline constexpr std::int64_t kMaxUnsignedStep = 1'000'000;
// The number of the next directive or roster (`kind`), above every one that the site ever saw:
// nodes remember it. `held` is of the newest that is verified here (0: none), `named` what the
// gateway says. kMismatch if it says more than kMaxUnsignedStep above: nodes refuse everything
// below what is signed now, so that a gateway in the wrong hands could use up all numbers.
Result<std::int64_t> next_number(std::string_view kind, std::int64_t held, std::int64_t named);

// The rollout whose bundle to go back to.
struct WayBack {
  seeder::RolloutSummary to;
  std::vector<seeder::RolloutSummary> passed_over;  // newer, of other bundles, that ended otherwise
};
// The newest rollout before `present` of another bundle that is done and left a device confirmed.
// kNotFound, naming what did not end well.
Result<WayBack> way_back(const std::vector<seeder::RolloutSummary>& rollouts,
                         const trust::Directive& present);
std::string describe(const WayBack& way);

// What changes from one document to the next, a line each.
std::vector<std::string> describe_change(const trust::Roster& before, const trust::Roster& after);
std::vector<std::string> describe(const trust::Directive& directive,
                                  const trust::Manifest& manifest);

// "10s", "15m", "12h", "7d"; kUsage.
Result<std::chrono::seconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::seconds duration);
// "1.2 MB"; SI units.
std::string bytes_text(std::uint64_t bytes);

}  // namespace lineside::ctl
