// SPDX-License-Identifier: Apache-2.0
// The device's agent: one loop that talks to the gateway, decides, and drives the life table, and
// one worker that does what takes long.
//
//     tick:  take the worker's outcome ─▶ next state, durable ─▶ its action
//            report; fetch newer documents ─▶ a directive begins or gives way; the gate opens
//            a canary attests; whenever nothing is being switched the live check runs
//
// Nothing here needs the gateway to be honest: see decide.h and documents.h. One thread calls it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/attestation_set.h"
#include "node/decide.h"
#include "node/documents.h"
#include "node/ledger.h"
#include "node/node_config.h"
#include "node/steps.h"
#include "node/worker.h"
#include "proto/trust/keys.h"

namespace lineside::node {

// Where a device keeps what it said under a directive.
Path own_attestation(const Path& state, std::int64_t sequence);

class Agent {
 public:
  // `around` and `key` outlive it.
  Agent(Surroundings around, NodeConfig config, const trust::PrivateKey& key);

  // Loads what is durable and resumes whatever was under way. Errors: trust anchors, state folder,
  // life.json.
  Result<void> start();
  // One round; returns how long the next may wait. The only errors are of the state folder: a
  // device that cannot write down what it does must not go on, see recover().
  Result<std::chrono::milliseconds> tick();
  // After an error of tick(): prepares the next one to go on from what was written down last.
  // Returns how long that may wait.
  std::chrono::milliseconds recover(const Error& error);
  // start() and tick() until `stop`, over errors of tick(). Errors: those of start().
  Result<void> run(std::stop_token stop);
  // Waits until the worker has an outcome or the time is over; for run() and for tests.
  bool wait(std::chrono::milliseconds time, const std::stop_token& stop);

  // A step or a check is under way, or its outcome is not taken yet.
  [[nodiscard]] bool working() const { return worker_.busy(); }

  [[nodiscard]] Life life() const { return ledger_->life(); }

 private:
  using Milliseconds = std::chrono::milliseconds;

  UtcTime now();
  [[nodiscard]] Knowledge knowledge(const Life& life);
  Result<void> feed(Event event, const std::optional<Error>& error);
  void enter(Event event, Action action);
  Result<void> take_outcome();
  Result<void> consider();
  Result<void> begin();
  Result<void> ask_gate();
  Result<void> note_pause();
  void note_alarm();
  void launch();
  void launch_live_check();
  Result<void> attest();
  void post_attestations();

  [[nodiscard]] const api::ReportReply* word() const;
  void listen_for_word();
  void talk();
  Result<void> refresh_site(trust::Fetcher& site_metadata);
  void pin_gateways();
  bool enrolled();
  void sync(const api::ReportReply& reply);
  void fetch_roster();
  void fetch_directive();
  void take_gifts();
  void take_gift(const Gift& gift);
  void take_attestations(const std::vector<Bytes>& envelopes, const std::string& from);
  void load_own_attestation();
  void show_holdings();
  void post_evidence();
  // Says in log and report that a document was not taken. What is no document's fault is not told.
  void refuse(const std::string& what, const std::string& from, const Error& error);
  [[nodiscard]] api::NodeReport make_report(const Life& life) const;
  void resume_seeding();
  [[nodiscard]] std::optional<trust::VerifiedDirective> life_directive(const Life& life) const;

  Surroundings around_;
  NodeConfig config_;
  const trust::PrivateKey& key_;
  Documents documents_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Steps> steps_;

  Action action_ = Action::kNone;  // to be launched, or running
  bool launched_ = false;
  bool living_ = false;  // the worker runs a live check, not an action
  SteadyTime retry_at_{};
  std::optional<Error> waiting_for_;  // why nothing moves, for the report
  std::optional<api::ReportReply> reply_;
  AttestationSet attestations_;
  std::optional<api::Refusal> refusal_;         // the last
  std::optional<SteadyTime> heard_;             // the gateway's last word about the directive
  std::optional<Digest> awaited_;               // the directive that `heard_` is about
  std::optional<std::uint32_t> fetched_there_;  // attestations that the gateway had when asked
  std::string alarm_;                           // the one that is told already
  bool evidence_posted_ = false;
  std::shared_ptr<const trust::VerifiedRoster> shown_roster_;
  std::shared_ptr<const trust::VerifiedDirective> shown_directive_;
  Milliseconds poll_{2000};
  std::string enrolment_;  // the last answer, to log changes only
  std::optional<Digest> pinned_roster_;
  std::optional<SteadyTime> site_refreshed_, lived_, scanned_;
  std::set<std::int64_t> posted_;  // directive sequences whose attestation arrived
  std::uint32_t held_there_ = 0;   // attestations that the gateway had, by its last reply
  Worker worker_;                  // last: its thread uses the rest
};

}  // namespace lineside::node
