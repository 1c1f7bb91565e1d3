// SPDX-License-Identifier: Apache-2.0
// What the gateway remembers across restarts, in one SQLite file: nodes and their last reports,
// requests to enrol, signed envelopes as received, rollouts, the event log, bytes over the WAN.
//
// The event log is append-only, held so by triggers. A rollout's new state and the decisions that
// led to it are committed together, so a restart neither repeats nor skips a step.
//
// Codes: kIo, kNoSpace, kMalformed (a damaged row). Any thread: calls are serialised inside.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "seeder/rollout_planner.h"

namespace lineside::seeder {

enum class DocumentKind { kRoster, kDirective };

struct PendingDevice {
  std::string device;
  Bytes spki;
  std::string fingerprint;
  std::vector<std::string> hardware;
  std::string agent;
  UtcTime first_seen{};
  UtcTime last_seen{};
};

struct StoredReport {
  std::string device;
  std::string json;  // NodeReport as it was received
  UtcTime heard{};
};

struct Event {
  std::int64_t number = 0;
  UtcTime at{};
  std::string kind;           // "enrol", "roster", "directive", "batch-open", "mirror", …
  std::string actor;          // key id or device id; "gateway" for its own decisions
  std::string device;         // empty if it is about no single one
  std::int64_t sequence = 0;  // of the directive that it is about, 0 for none
  std::string document;       // hex digest of the document that it rests on, empty for none
  std::string text;
};

// One inference check of a device, as it reported it.
struct StoredCheck {
  UtcTime finished{};
  std::string phase;
  std::string verdict;
  std::string cause;
  std::string measured;  // JSON object of texts
};
// Checks that are kept of a device: three days at one in five minutes.
inline constexpr std::int64_t kMaxChecks = 1000;

struct WanBytes {
  std::uint64_t payload = 0;
  std::uint64_t metadata = 0;
};

struct StoredRollout {
  RolloutState state;
  std::string bundle;
};

// A rollout's new state and the events that tell of it.
struct RolloutStep {
  StoredRollout rollout;
  std::vector<Event> events;
};

// A look back into the event log.
struct EventQuery {
  std::int64_t before = 0;    // numbers below it; 0: from the newest
  std::string device;         // only about this one; empty: all
  std::int64_t sequence = 0;  // only about this directive; 0: all
  std::size_t limit = 100;
};

// How many requests to enrol are kept: strangers may ask, but not fill the disk.
inline constexpr std::size_t kMaxPending = 4096;

class RolloutStore {
 public:
  static Result<std::unique_ptr<RolloutStore>> open(const Path& file);
  ~RolloutStore();

  // Envelopes. The newest is the one with the highest number (roster version, sequence).
  Result<void> add_document(DocumentKind kind, std::int64_t number, const Digest& digest,
                            BytesView envelope, const Event& event);
  // (one transaction) A directive with the rollout that it begins and, if one was running, the last
  // step of that.
  Result<void> add_directive(const Digest& digest, BytesView envelope, const Event& event,
                             const StoredRollout& begun, const std::optional<RolloutStep>& ended);
  [[nodiscard]] Result<std::optional<Bytes>> newest_document(DocumentKind kind) const;
  // Its number; 0 if there is none. What a new document must be above, whoever signed the old one.
  [[nodiscard]] Result<std::int64_t> newest_number(DocumentKind kind) const;
  [[nodiscard]] Result<std::optional<Bytes>> document(DocumentKind kind, std::int64_t number) const;

  // One of each canary's payloads for a directive. False if it was held already.
  Result<bool> add_attestation(const Digest& digest, const Digest& directive, BytesView envelope,
                               const Event& event);
  [[nodiscard]] Result<std::vector<Bytes>> attestations(const Digest& directive) const;

  // The last report of a device, and the last one under each directive.
  Result<void> put_report(const StoredReport& report, std::int64_t sequence);
  [[nodiscard]] Result<std::vector<StoredReport>> reports() const;
  [[nodiscard]] Result<std::vector<StoredReport>> reports_under(std::int64_t sequence) const;

  // One that is there already changes nothing. Past kMaxChecks the oldest go.
  Result<void> add_check(const std::string& device, const StoredCheck& check);
  // Oldest first, the newest `limit`.
  [[nodiscard]] Result<std::vector<StoredCheck>> checks(const std::string& device,
                                                        std::int64_t limit) const;

  // True if the key was not pending before. kTooLarge past kMaxPending.
  Result<bool> put_pending(const PendingDevice& pending);
  Result<void> remove_pending(BytesView spki);
  [[nodiscard]] Result<std::vector<PendingDevice>> pending() const;

  // (one transaction)
  Result<void> put_rollout(const StoredRollout& rollout, const std::vector<Event>& events);
  [[nodiscard]] Result<std::optional<StoredRollout>> rollout(std::int64_t sequence) const;
  [[nodiscard]] Result<std::vector<StoredRollout>> rollouts() const;  // by sequence

  // What the operator's plan foretold, as JSON. The first one stays: kExists.
  Result<void> put_forecast(std::int64_t sequence, std::string_view json);
  [[nodiscard]] Result<std::optional<std::string>> forecast(std::int64_t sequence) const;

  Result<void> add_event(const Event& event);
  // Numbers above `after`, at most `limit`, in order.
  [[nodiscard]] Result<std::vector<Event>> events(std::int64_t after, std::size_t limit) const;

  // Newest first.
  [[nodiscard]] Result<std::vector<Event>> events_back(const EventQuery& wanted) const;
  [[nodiscard]] Result<std::int64_t> newest_event() const;  // its number, 0 for none

  // Bytes that crossed the WAN for a release; "" is for what serves none in particular.
  Result<void> add_wan(std::string_view release, const WanBytes& more);
  [[nodiscard]] Result<WanBytes> wan(std::string_view release) const;
  [[nodiscard]] Result<WanBytes> wan_total() const;
  // An operator lets `bytes` more across for a release than its budget.
  Result<void> allow_wan(std::string_view release, std::uint64_t bytes, const Event& event);
  [[nodiscard]] Result<std::uint64_t> wan_allowed(std::string_view release) const;  // the sum

  // Bundles that came on a stick, for whom they wait; the last one first.
  Result<void> add_import(std::string_view bundle);
  [[nodiscard]] Result<std::vector<std::string>> imports(std::size_t most) const;

 private:
  struct State;
  explicit RolloutStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lineside::seeder
