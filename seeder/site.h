// SPDX-License-Identifier: Apache-2.0
// What the gateway accepts and what it answers, without sockets.
//
// It checks every document against the site root before it keeps it, although nobody relies on
// that: nodes and operators check again. Every change is an event in the log, with who and which
// document. Any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "proto/api/site_api.h"
#include "proto/base/clock.h"
#include "proto/trust/directive.h"
#include "proto/trust/gate.h"
#include "proto/trust/manifest.h"
#include "proto/trust/roster.h"
#include "seeder/delivered.h"
#include "seeder/device_health.h"
#include "seeder/operator_api.h"
#include "seeder/rollout_store.h"

namespace lineside::seeder {

struct SiteOptions {
  std::string name;
  trust::Authority operators;             // of the site root
  std::vector<trust::PublicKey> gateway;  // our own key: exactly one
  std::string swarm_endpoint;  // what nodes are told; "0.0.0.0:P" if they must fill it in
  std::uint32_t poll_ms = 2000;
};

// What a new directive does to a rollout that has not ended.
enum class IfRunning { kRefuse, kReplace };

enum class CallerClass { kNobody, kDevice, kOperator };

// Who holds the key that the TLS handshake proved.
struct Caller {
  CallerClass is = CallerClass::kNobody;
  std::string name;  // device id, or an operator's key id
  Bytes spki;        // empty without a client certificate

  // As it stands in the event log.
  [[nodiscard]] std::string actor() const { return name.empty() ? "unknown" : name; }
};

// What the supply knows of the bundle that the present directive names.
struct BundleNews {
  Digest manifest_digest;
  trust::Manifest manifest;
  bool offered = false;  // deliveries can be had
};

class Site {
 public:
  // Reads what `store` holds. `store` and `clock` outlive it. A stored document that the operators
  // of the present site root did not sign (they were rotated) is not held any more, since nodes
  // would refuse it; what is posted next must still be newer than it. The codes of the store and of
  // verify_roster and verify_directive for any other damage.
  static Result<std::unique_ptr<Site>> open(SiteOptions options, RolloutStore& store, Clock& clock);

  // Other operators from now on: the site root has another version. What they did not sign is not
  // held any more, as in open().
  Result<void> set_operators(trust::Authority operators, std::int64_t root, const Caller& caller);

  [[nodiscard]] Caller identify(const std::optional<Bytes>& spki) const;

  // kMalformed for a bad id; kTooLarge if too many wait.
  Result<api::EnrolReply> enrol(const Caller& caller, const api::EnrolRequest& request);

  // Roster: codes of verify_roster; kRollback also for the version that is held already.
  Result<void> post_roster(BytesView envelope, const Caller& caller);
  // Directive: codes of verify_directive, kExpired, kRollback for a sequence that is not new,
  // kConflict for devices or canaries that no node's gate would accept (it says which), or if a
  // rollout is running and is not to be replaced.
  Result<void> post_directive(BytesView envelope, const Caller& caller,
                              IfRunning running = IfRunning::kRefuse);
  // kUnknownKey, kWrongDevice if the caller is another than the signer; kConflict unless it is a
  // canary's about the present directive; kTooLarge past four that differ from one canary, so that
  // no device fills what nodes must read; codes of verify_attestation. The same one again is fine.
  Result<void> post_attestation(BytesView envelope, const Caller& caller);
  // Two documents of one number that the operators signed, from a device that was shown both. True
  // if it is news: then `keep` is called before the event "alarm" says so. kMismatch if they do not
  // contradict each other; codes of verify_directive and verify_roster, and of `keep`.
  Result<bool> post_evidence(const std::vector<Bytes>& envelopes, const Caller& caller,
                             const std::function<Result<void>()>& keep);
  Result<api::ReportReply> report(const Caller& caller, const api::NodeReport& report,
                                  const std::string& remote_ip);
  // kNotFound for another sequence than the present one; kConflict, see planner.
  Result<void> command(std::int64_t sequence, Command what, const Caller& caller);
  // Takes note of the time and of what has arrived: call about once a second.
  void tick();
  // From the supply.
  void bundle_news(BundleNews news);
  // An event that changes nothing here: the gateway's own, or of a person at its page.
  void note(const std::string& kind, const std::string& text, const std::string& actor = "gateway");

  [[nodiscard]] std::optional<Bytes> roster_envelope() const;
  [[nodiscard]] std::optional<Bytes> directive_envelope() const;
  [[nodiscard]] std::optional<trust::VerifiedDirective> directive() const;
  // The directive that the site needs a bundle for: not that of a rollout that was aborted or
  // failed.
  [[nodiscard]] std::optional<trust::VerifiedDirective> to_supply() const;
  [[nodiscard]] std::optional<trust::VerifiedRoster> roster() const;
  [[nodiscard]] trust::Authority operators() const {
    std::lock_guard lock(mutex_);
    return options_.operators;
  }
  // Whether floor_trees() is all that there is: not before the gateway has listened for
  // kSilentAfter (kTimeout), nor while a device that is not revoked has never reported (kNotFound).
  [[nodiscard]] Result<void> floor_is_known() const;
  // Trees that nodes have reported: possible bases.
  [[nodiscard]] std::vector<Digest> floor_trees() const;
  [[nodiscard]] std::vector<Digest> trees_of(const std::string& device) const;
  // The sequence of the present rollout if it has ended, else 0.
  [[nodiscard]] std::int64_t ended_rollout() const;
  // The bundles that were rolled out last, the present one first, each once.
  [[nodiscard]] Result<std::vector<std::string>> recent_bundles(std::size_t most) const;
  // Status without supply and WAN, which the caller fills in.
  [[nodiscard]] SiteStatus status() const;
  // The nodes' last reports under an earlier directive; kNotFound.
  [[nodiscard]] Result<SiteStatus> status_under(std::int64_t sequence) const;

  // Called after a directive was accepted and after a command, on the caller's thread, without a
  // lock held.
  void on_directive(std::function<void()> wake);

 private:
  struct Heard {
    api::NodeReport report;  // its sums as the device said them
    UtcTime at{};
    Carried carried{};
  };
  static Result<Heard> heard(const StoredReport& stored);
  Site(SiteOptions options, RolloutStore& store, Clock& clock);
  Result<void> load();
  Result<void> load_roster();
  Result<void> load_directive();
  Result<void> load_reports();
  Event event(std::string kind, std::string actor, std::string text) const;
  Result<void> check_devices(const trust::Directive& directive) const;
  Result<bool> is_news(const trust::VerifiedAttestation& fresh) const;
  Result<void> begin_locked(trust::VerifiedDirective fresh, const std::string& actor);
  void keep_check_locked(const api::NodeReport& report);
  trust::GateState gate_locked() const;
  Observation observe_locked() const;
  void plan_locked();
  void remember_health();
  void note_health_locked(const NodeRow& row);
  RolloutStep step_of(const Planned& planned, const std::string& actor) const;
  Result<void> keep_locked(const Planned& planned, const std::string& actor);
  std::vector<std::string> peers_locked(const api::NodeReport& report);
  std::vector<std::string> gossip_locked(const std::string& device);
  RolloutRow rollout_row(const trust::VerifiedDirective& directive, const RolloutState& state,
                         const trust::GateState& gate) const;
  NodeRow node_row(const trust::Device& device, const std::map<std::string, Heard>& reports,
                   const trust::Directive* directive, const RolloutState* state) const;
  std::vector<NodeRow> node_rows(const std::map<std::string, Heard>& reports,
                                 const trust::Directive* directive,
                                 const RolloutState* state) const;

  SiteOptions options_;
  RolloutStore& store_;
  Clock& clock_;
  UtcTime started_;
  std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::optional<trust::VerifiedRoster> roster_;
  std::optional<trust::VerifiedDirective> directive_;
  std::int64_t roster_floor_ = 0;     // newest version that was ever kept, held or not
  std::int64_t directive_floor_ = 0;  // newest sequence likewise
  std::optional<RolloutState> rollout_;
  std::optional<BundleNews> bundle_;
  std::vector<Bytes> attestations_;  // of the present directive
  std::map<std::string, Heard> reports_;
  std::set<std::string> alarms_;          // told since the start
  std::map<std::string, Health> health_;  // what the event log knows of each device
  struct Carrier {
    Digest root;  // of the delivery that it wants or has
    std::string endpoint;
  };
  std::map<std::string, Carrier> carriers_;    // device -> the last that it named
  std::map<std::string, std::string> gossip_;  // device -> where other nodes may ask it
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace lineside::seeder
