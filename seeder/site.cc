// SPDX-License-Identifier: Apache-2.0
#include "seeder/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/base/log.h"
#include "proto/trust/document.h"

namespace lineside::seeder {
namespace {

// A node that was not heard of for this long is no longer introduced to others.
constexpr std::chrono::seconds kIntroduced{120};
constexpr std::size_t kMaxPeers = 30;
constexpr std::size_t kMaxGossip = 8;

// Empty if other operators signed it than the site has now: that must not keep the gateway from
// starting, since only a running gateway can be given documents that the new ones signed.
template <class Document>
Result<std::optional<Document>> unless_resigned(const char* kind, std::int64_t number,
                                                Result<Document> verified) {
  if (verified.ok()) return std::optional<Document>(std::move(*verified));
  Code code = verified.error().code;
  if (code != Code::kBadSignature && code != Code::kUnknownKey) return verified.error();
  log(Level::kWarning, "stored document is not signed by the present operators: post a new one",
      {{"kind", kind}, {"number", std::to_string(number)}, {"error", verified.error().describe()}});
  return std::optional<Document>();
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

// Only the port is taken from it: a device does not send the floor to somebody else's address. On
// the gateway's own machine, where a connection comes from 127.0.0.1 whoever makes it, devices may
// have addresses of their own.
std::string endpoint_of(const std::string& said, const std::string& remote_ip) {
  Result<api::Endpoint> endpoint = api::parse_endpoint(said);
  if (!endpoint.ok() || remote_ip.empty()) return "";
  bool same_machine = is_loopback(remote_ip) && is_loopback(endpoint->address);
  if (!same_machine) endpoint->address = remote_ip;
  return endpoint->text();
}

}  // namespace

Site::Site(SiteOptions options, RolloutStore& store, Clock& clock)
    : options_(std::move(options)), store_(store), clock_(clock), started_(clock.now()) {}

Result<std::unique_ptr<Site>> Site::open(SiteOptions options, RolloutStore& store, Clock& clock) {
  std::unique_ptr<Site> site(new Site(std::move(options), store, clock));
  Result<void> loaded = site->load();
  if (!loaded.ok()) return loaded.error().with("what the gateway holds");
  return site;
}

Result<void> Site::load() {
  TRY_ASSIGN(roster_floor_, store_.newest_number(DocumentKind::kRoster));
  TRY_ASSIGN(directive_floor_, store_.newest_number(DocumentKind::kDirective));
  TRY(load_roster());
  TRY(load_reports());
  remember_health();
  return load_directive();
}

Result<void> Site::load_roster() {
  TRY_ASSIGN(auto roster, store_.newest_document(DocumentKind::kRoster));
  if (!roster) return ok();
  TRY_ASSIGN(roster_,
             unless_resigned("roster", roster_floor_,
                             trust::verify_roster(*roster, options_.operators, options_.name, 1)));
  return ok();
}

Result<void> Site::set_operators(trust::Authority operators, std::int64_t root,
                                 const Caller& caller) {
  std::lock_guard lock(mutex_);
  TRY(store_.add_event(event("site-root", caller.actor(),
                             fmt::format("site root {}: {} of {} operators must sign", root,
                                         operators.threshold, operators.keys.size()))));
  options_.operators = std::move(operators);
  roster_.reset();
  TRY(load_roster());
  if (!directive_ ||
      trust::verify_directive(directive_->envelope, options_.operators, options_.name, 1).ok()) {
    return ok();
  }
  directive_.reset();
  rollout_.reset();
  bundle_.reset();
  attestations_.clear();
  carriers_.clear();
  return ok();
}

Result<void> Site::load_directive() {
  TRY_ASSIGN(auto directive, store_.newest_document(DocumentKind::kDirective));
  if (!directive) return ok();
  TRY_ASSIGN(directive_, unless_resigned("directive", directive_floor_,
                                         trust::verify_directive(*directive, options_.operators,
                                                                 options_.name, 1)));
  if (!directive_) return ok();
  TRY_ASSIGN(auto stored, store_.rollout(directive_->directive.sequence));
  rollout_ = stored ? stored->state : begin_rollout(directive_->directive);
  TRY_ASSIGN(attestations_, store_.attestations(directive_->digest));
  return ok();
}

Result<void> Site::load_reports() {
  TRY_ASSIGN(auto reports, store_.reports());
  for (const StoredReport& stored : reports) {
    // A report in an older form is forgotten; the node sends another within seconds.
    if (Result<Heard> known = heard(stored); known.ok()) reports_[stored.device] = *known;
  }
  return ok();
}

Event Site::event(std::string kind, std::string actor, std::string text) const {
  Event made;
  made.at = clock_.now();
  made.kind = std::move(kind);
  made.actor = std::move(actor);
  made.text = std::move(text);
  return made;
}

void Site::on_directive(std::function<void()> wake) {
  wake_ = std::move(wake);
}

Caller Site::identify(const std::optional<Bytes>& spki) const {
  Caller caller;
  if (!spki) return caller;
  caller.spki = *spki;
  Result<trust::PublicKey> key = trust::PublicKey::from_spki(*spki);
  if (!key.ok()) return caller;
  std::lock_guard lock(mutex_);
  for (const trust::PublicKey& held : options_.operators.keys) {
    if (held == *key) {
      caller.is = CallerClass::kOperator;
      caller.name = "operator " + key->fingerprint();
      return caller;
    }
  }
  const trust::Device* device = roster_ ? roster_->roster.find(*key) : nullptr;
  if (device != nullptr && !device->revoked) {
    caller.is = CallerClass::kDevice;
    caller.name = device->id;
  }
  return caller;
}

Result<api::EnrolReply> Site::enrol(const Caller& caller, const api::EnrolRequest& request) {
  if (caller.spki.empty()) return Error{Code::kDenied, "enrolment needs a client certificate"};
  if (!trust::is_name(request.device)) {
    return Error{Code::kMalformed, "device: expected [a-z0-9][a-z0-9._-]{0,63}"};
  }
  for (const std::string& hardware : request.hardware) {
    if (!trust::is_name(hardware)) return Error{Code::kMalformed, "hardware: expected names"};
  }
  TRY_ASSIGN(trust::PublicKey key, trust::PublicKey::from_spki(caller.spki));
  api::EnrolReply reply{"pending", key.fingerprint()};
  std::lock_guard lock(mutex_);
  if (const trust::Device* known = roster_ ? roster_->roster.find(key) : nullptr) {
    reply.status = known->revoked ? "revoked" : "accepted";
    return reply;
  }
  UtcTime now = clock_.now();
  std::string agent = trust::clean_text(request.agent, trust::kMaxLabelBytes);
  TRY_ASSIGN(bool is_new, store_.put_pending({request.device, caller.spki, reply.fingerprint,
                                              request.hardware, agent, now, now}));
  if (is_new) {
    Event made = event("enrol", reply.fingerprint, request.device + " asks to be enrolled");
    made.device = request.device;
    TRY(store_.add_event(made));
  }
  return reply;
}

std::vector<std::string> Site::peers_locked(const api::NodeReport& report) {
  std::vector<std::string> peers;
  if (!report.transfer) return peers;
  for (const auto& [device, carrier] : carriers_) {
    if (carrier.root != report.transfer->root) continue;
    auto heard = reports_.find(device);
    bool fresh = heard != reports_.end() && heard->second.at + kIntroduced > clock_.now();
    if (device == report.device || !fresh || carrier.endpoint.empty()) continue;
    peers.push_back(carrier.endpoint);
  }
  std::shuffle(peers.begin(), peers.end(), random_);
  if (peers.size() > kMaxPeers) peers.resize(kMaxPeers);
  return peers;
}

// A few at random, others each time: a device remembers them.
std::vector<std::string> Site::gossip_locked(const std::string& device) {
  std::vector<std::string> found;
  for (const auto& [other, endpoint] : gossip_) {
    auto heard = reports_.find(other);
    bool fresh = heard != reports_.end() && heard->second.at + kIntroduced > clock_.now();
    if (other != device && fresh && !endpoint.empty()) found.push_back(endpoint);
  }
  std::shuffle(found.begin(), found.end(), random_);
  if (found.size() > kMaxGossip) found.resize(kMaxGossip);
  return found;
}

Result<api::ReportReply> Site::report(const Caller& caller, const api::NodeReport& report,
                                      const std::string& remote_ip) {
  if (report.device != caller.name) {
    return Error{Code::kWrongDevice, "report of " + report.device + " from " + caller.name};
  }
  std::lock_guard lock(mutex_);
  UtcTime now = clock_.now();
  Heard fresh{report, now};
  if (auto last = reports_.find(report.device); last != reports_.end()) {
    fresh.carried = carry(last->second.carried, last->second.report, report);
  }
  TRY(store_.put_report({report.device, serialise(report, fresh.carried), now},
                        report.directive_sequence));
  keep_check_locked(report);
  reports_[report.device] = fresh;
  if (report.transfer) {
    carriers_[report.device] = {report.transfer->root,
                                endpoint_of(report.swarm_endpoint, remote_ip)};
  }
  gossip_[report.device] = endpoint_of(report.gossip_endpoint, remote_ip);
  if (const trust::Device* device = roster_ ? roster_->roster.find(report.device) : nullptr) {
    note_health_locked(node_row(*device, reports_, nullptr, nullptr));
  }
  plan_locked();
  api::ReportReply reply;
  reply.roster_version = roster_ ? roster_->roster.version : 0;
  reply.poll_ms = options_.poll_ms;
  reply.gateway_endpoint = options_.swarm_endpoint;
  reply.peers = peers_locked(report);
  reply.gossip = gossip_locked(report.device);
  if (directive_ && rollout_) {
    reply.directive_sequence = directive_->directive.sequence;
    reply.attestations = static_cast<std::uint32_t>(attestations_.size());
    reply.batches_open = rollout_->batches_open;
    reply.paused = rollout_->withholds();
    reply.called_off = rollout_->in_vain();
  }
  return reply;
}

void Site::note(const std::string& kind, const std::string& text, const std::string& actor) {
  std::lock_guard lock(mutex_);
  Event made = event(kind, actor, text);
  if (directive_) made.sequence = directive_->directive.sequence;
  if (Result<void> added = store_.add_event(made); !added.ok()) {
    log(Level::kError, "event not recorded", {{"error", added.error().describe()}});
  }
}

std::optional<Bytes> Site::roster_envelope() const {
  std::lock_guard lock(mutex_);
  return roster_ ? std::optional<Bytes>(roster_->envelope) : std::nullopt;
}

std::optional<Bytes> Site::directive_envelope() const {
  std::lock_guard lock(mutex_);
  return directive_ ? std::optional<Bytes>(directive_->envelope) : std::nullopt;
}

std::optional<trust::VerifiedDirective> Site::directive() const {
  std::lock_guard lock(mutex_);
  return directive_;
}

std::vector<Digest> Site::trees_of(const std::string& device) const {
  std::lock_guard lock(mutex_);
  auto heard = reports_.find(device);
  return heard == reports_.end() ? std::vector<Digest>() : heard->second.report.trees;
}

Result<void> Site::floor_is_known() const {
  std::lock_guard lock(mutex_);
  if (clock_.now() < started_ + kSilentAfter) {
    return Error{Code::kTimeout, "the gateway has only begun to listen"};
  }
  if (!roster_) return Error{Code::kTimeout, "there is no roster"};
  for (const trust::Device& device : roster_->roster.devices) {
    if (device.revoked || reports_.contains(device.id)) continue;
    return Error{Code::kNotFound, device.id + " has never reported what it holds"};
  }
  return ok();
}

std::vector<Digest> Site::floor_trees() const {
  std::lock_guard lock(mutex_);
  std::set<Digest> trees;
  for (const auto& [device, heard] : reports_) {
    trees.insert(heard.report.trees.begin(), heard.report.trees.end());
  }
  return {trees.begin(), trees.end()};
}

}  // namespace lineside::seeder
