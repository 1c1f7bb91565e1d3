// SPDX-License-Identifier: Apache-2.0
// The actions of the life table, as work that may take long: each runs on the agent's worker, can
// be stopped, and can be run again after a power cut at any instant.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "node/check/inference_check.h"
#include "node/gateway_link.h"
#include "node/ledger.h"
#include "node/life_table.h"
#include "node/patience.h"
#include "node/peers.h"
#include "node/slots/slot_store.h"
#include "node/transport.h"
#include "proto/base/clock.h"
#include "proto/trust/directive.h"
#include "proto/trust/manifest.h"

namespace lineside::node {

// Phases of a check, as reports name them.
inline constexpr std::string_view kPhaseStaged = "staged";
inline constexpr std::string_view kPhaseTrial = "trial";
inline constexpr std::string_view kPhaseLive = "live";

// Everything outside that a device acts on; all of it outlives the steps.
struct Surroundings {
  Disk& disk;
  const Clock& clock;
  GatewayLink& link;
  Transport& transport;
  SlotStore& slots;
  const Checker& checker;
  Peers& peers;
};

// What came of an action.
struct Outcome {
  std::optional<Event> event;  // nothing to feed: cancelled, or an action without an outcome
  std::optional<Error> error;  // why, for a failure or a retry
  std::chrono::milliseconds retry_after{0};  // > 0: run the same action again then

  // `event` because of `error`; nothing to feed if the action was cancelled.
  static Outcome failed(Event event, Error error);
};

class Steps {
 public:
  struct Settings {
    Path state;
    std::vector<std::string> hardware;
    std::uint64_t apply_memory_bytes = 64ULL << 20;
    Patience patience;
  };
  Steps(Surroundings around, Ledger& ledger, Settings settings);

  // `directive` is the one that life.directive names. Never kNone or kAwaitGate.
  Outcome run(Action action, const trust::VerifiedDirective& directive, std::stop_token stop);

  // While nothing is switched: reads the current tree back (if `scan`) and runs its check again.
  // Changes the ledger's read_back, damage, inferring and check.
  Outcome live_check(bool scan, std::stop_token stop);

 private:
  Outcome fetch(const trust::Directive& directive, std::stop_token stop);
  Outcome stage(const trust::Directive& directive, std::stop_token stop);
  Outcome check(std::stop_token stop);
  [[nodiscard]] Outcome again_or(Event failed, const Error& error) const;
  Outcome activate();
  Outcome trial(std::stop_token stop);
  Outcome confirm();
  Outcome discard();
  Outcome roll_back();

  Result<void> accept(const trust::Manifest& manifest) const;
  Result<void> check_space(const trust::Manifest& manifest, std::uint64_t delivery) const;
  template <class Fetch>
  auto from_anybody(Fetch fetch) const;
  void refresh_from_peers() const;
  struct Offers;
  Result<Offers> ask(const trust::TreeId& target) const;
  Result<api::DeliveryOffer> choose(const trust::TreeId& target);
  Result<void> obtain(const trust::Manifest& manifest, std::stop_token stop);
  Result<void> build(const trust::Manifest& manifest, const Path& out, bool& waits,
                     std::stop_token stop);
  Result<bool> stands_whole(const trust::TreeId& tree, std::stop_token stop);
  [[nodiscard]] Outcome wait_for(const Error& error, const trust::Directive& directive) const;
  Result<void> read_back(const trust::TreeId& tree, std::stop_token stop);
  Result<void> scan_current(const trust::TreeId& current, std::stop_token stop);
  Result<CheckReport> run_check(const trust::TreeId& tree, const Digest& manifest,
                                std::string_view phase, std::stop_token stop);
  Result<void> tidy(bool keep_target);
  Result<void> collect_deliveries(const std::string& present);
  [[nodiscard]] Path delivery_file(const Digest& root) const;
  [[nodiscard]] UtcTime now() const;

  Surroundings around_;
  Ledger& ledger_;
  Settings settings_;
  // Under the present directive:
  std::int64_t sequence_ = 0;
  std::optional<Digest> stalled_;  // the delivery that stood still when it was last waited for
  std::set<Digest> refused_;       // deliveries that did not make what is signed
  std::optional<SteadyTime> prepared_since_;  // a smaller delivery than the offered is awaited
};

}  // namespace lineside::node
