// SPDX-License-Identifier: Apache-2.0
// The agent's side of the conversation with the gateway.
#include <algorithm>

#include "node/agent.h"
#include "node/leaves.h"
#include "proto/base/log.h"
#include "proto/base/version.h"

namespace lineside::node {
void Agent::talk() {
  SteadyTime steady = around_.clock.steady();
  if (!site_refreshed_ || steady - *site_refreshed_ >= config_.patience.site_root) {
    auto refreshed = refresh_site(around_.link.site_metadata());
    if (refreshed.ok() || refreshed.error().code != Code::kNetwork) site_refreshed_ = steady;
    if (!refreshed.ok()) refuse("site root", "gateway", refreshed.error());
  }
  if (!documents_.roster()) fetch_roster();
  pin_gateways();
  if (!enrolled()) return;
  auto reply = around_.link.report(make_report(ledger_->life()));
  if (!reply.ok()) {
    log(Level::kWarning, "no report", {{"why", reply.error().describe()}});
    reply_.reset();  // nobody says that something may begin
    poll_ = config_.patience.unreachable;
    // Perhaps we were revoked, or another gateway stands there.
    if (reply.error().code == Code::kHttp || reply.error().code == Code::kUnknownKey) {
      fetch_roster();
    }
    return;
  }
  poll_ = std::chrono::milliseconds(reply->poll_ms);
  // A gateway that has fewer than before was restored or replaced: what we said has to be said
  // again.
  if (reply->attestations < held_there_) posted_.clear();
  held_there_ = reply->attestations;
  around_.peers.meet(reply->gossip);
  sync(*reply);
  reply_ = std::move(*reply);
}

Result<void> Agent::refresh_site(trust::Fetcher& site_metadata) {
  bool directed = documents_.directive().has_value();
  auto refreshed = documents_.refresh_site(site_metadata, now());
  if (directed && !documents_.directive()) {
    posted_.clear();  // sequences may come again
    attestations_.begin({});
  }
  return refreshed;
}

// The link talks to gateways of the roster alone, as long as there is one.
void Agent::pin_gateways() {
  std::optional<Digest> held;
  if (documents_.roster()) held = documents_.roster()->digest;
  if (held == pinned_roster_) return;
  pinned_roster_ = held;
  around_.link.pin(held ? documents_.roster()->roster.gateways : std::vector<trust::PublicKey>());
}

// On the roster with our own key. Until then the gateway is asked to queue us, and the operator to
// compare the fingerprint.
bool Agent::enrolled() {
  if (documents_.roster()) {
    const trust::Device* own = documents_.roster()->roster.find(key_.public_key());
    if (own != nullptr && own->id == config_.device && !own->revoked) return true;
  }
  auto reply = around_.link.enrol({config_.device, config_.hardware, kVersion});
  std::string state = reply.ok() ? reply->status : reply.error().describe();
  if (state != enrolment_) {
    enrolment_ = state;
    log(Level::kNotice, "enrolment",
        {{"state", state}, {"fingerprint", key_.public_key().fingerprint()}});
  }
  poll_ = std::chrono::milliseconds(2'000);
  fetch_roster();
  return false;
}

void Agent::sync(const api::ReportReply& reply) {
  if (!documents_.roster() || reply.roster_version > documents_.roster()->roster.version) {
    fetch_roster();
  }
  std::int64_t held = documents_.directive() ? documents_.directive()->directive.sequence : 0;
  if (reply.directive_sequence > held) fetch_directive();
  Life life = ledger_->life();
  if (life.delivery) {
    around_.transport.meet(life.delivery->root, reply.gateway_endpoint, reply.peers);
  }
}

void Agent::fetch_roster() {
  auto envelope = around_.link.roster();
  auto taken = envelope.ok() ? documents_.take_roster(*envelope) : Result<void>(envelope.error());
  if (!taken.ok() && taken.error().code != Code::kNotFound) {
    if (taken.error().code == Code::kBadSignature) site_refreshed_.reset();  // new operators?
    refuse("roster", "gateway", taken.error());
  }
}

void Agent::fetch_directive() {
  auto envelope = around_.link.directive();
  auto taken =
      envelope.ok() ? documents_.take_directive(*envelope) : Result<void>(envelope.error());
  if (!taken.ok()) {
    if (taken.error().code == Code::kBadSignature) site_refreshed_.reset();
    refuse("directive", "gateway", taken.error());
  }
}

api::NodeReport Agent::make_report(const Life& life) const {
  api::NodeReport report;
  report.device = config_.device;
  report.agent = kVersion;
  report.hardware = config_.hardware;
  report.state = state_name(life.state);
  report.directive_sequence = life.sequence;
  report.roster_version = documents_.roster() ? documents_.roster()->roster.version : 0;
  if (life.confirmed) {
    report.bundle = life.confirmed->name;
    report.version = life.confirmed->version;
    report.manifest = life.confirmed->manifest;
  }
  report.tree = life.read_back.value_or(Digest{});
  report.tree_read = life.read_back_at;
  auto trees = around_.slots.trees();
  if (trees.ok()) report.trees = *trees;
  auto free = around_.disk.free_bytes(config_.state);
  if (free.ok()) report.free_bytes = *free;
  report.inferring = life.inferring;
  report.inferring_cause = life.inferring_cause;
  report.inferring_since = life.inferring_since;
  report.inferences = life.inferences;
  report.damage = life.damage;
  report.code = life.code;
  report.error = life.error;
  if (waiting_for_ && report.code.empty()) {
    report.code = code_name(waiting_for_->code);
    report.error = waiting_for_->what;
  }
  if (!alarm_.empty()) {
    report.code = code_name(Code::kConflict);
    report.error = alarm_;
  }
  report.refusal = refusal_;
  report.gossip_endpoint = around_.peers.endpoint();
  report.swarm_endpoint = around_.transport.endpoint();
  report.delivered_from_gateway = life.from_gateway;
  report.delivered_from_peers = life.from_peers;
  if (life.delivery) report.transfer = around_.transport.transfer(life.delivery->root);
  if (report.transfer && life.state == State::kFetching) {
    report.delivered_from_gateway += report.transfer->from_gateway;
    report.delivered_from_peers += report.transfer->from_peers;
  }
  report.check = life.check;
  return report;
}

// What was fetched before the restart is given to others again.
void Agent::resume_seeding() {
  Life life = ledger_->life();
  if (!life.delivery || life.state == State::kFetching) return;
  Path file = config_.state / "deliveries" / life.delivery->root.hex();
  auto leaves = stored_leaves(around_.disk, file, life.delivery->root, life.delivery->length);
  auto seeded = leaves.ok() ? around_.transport.seed(
                                  {life.delivery->root, life.delivery->length, file}, *leaves)
                            : Result<void>(leaves.error());
  if (!seeded.ok()) log(Level::kInfo, "not seeding", {{"why", seeded.error().describe()}});
}

}  // namespace lineside::node
