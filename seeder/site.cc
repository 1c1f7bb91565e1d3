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
// A canary makes one for a directive; more only if it was set up anew meanwhile.
constexpr std::size_t kMaxAttestations = 4;

std::string actor_of(const Caller& caller) {
  return caller.name.empty() ? "unknown" : caller.name;
}

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
  TRY_ASSIGN(auto roster, store_.newest_document(DocumentKind::kRoster));
  if (roster) {
    TRY_ASSIGN(roster_, unless_resigned(
                            "roster", roster_floor_,
                            trust::verify_roster(*roster, options_.operators, options_.name, 1)));
  }
  TRY(load_reports());
  remember_health();
  return load_directive();
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
    Result<api::NodeReport> report = api::parse_node_report(as_bytes(stored.json));
    // A report in an older form is forgotten; the node sends another within seconds.
    if (report.ok()) reports_[stored.device] = {std::move(*report), stored.heard};
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
  for (const trust::PublicKey& held : options_.operators.keys) {
    if (held == *key) {
      caller.is = CallerClass::kOperator;
      caller.name = "operator " + key->fingerprint();
      return caller;
    }
  }
  std::lock_guard lock(mutex_);
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

Result<void> Site::post_roster(BytesView envelope, const Caller& caller) {
  std::lock_guard lock(mutex_);
  TRY_ASSIGN(trust::VerifiedRoster roster,
             trust::verify_roster(envelope, options_.operators, options_.name, roster_floor_ + 1));
  bool ours = std::any_of(options_.gateway.begin(), options_.gateway.end(),
                          [&](const auto& key) { return roster.roster.is_gateway(key); });
  Event made = event(
      "roster", actor_of(caller),
      fmt::format("roster {} with {} devices{}", roster.roster.version,
                  roster.roster.devices.size(), ours ? "" : "; this gateway's key is NOT in it"));
  made.document = roster.digest.hex();
  TRY(store_.add_document(DocumentKind::kRoster, roster.roster.version, roster.digest, envelope,
                          made));
  roster_floor_ = roster.roster.version;
  roster_ = std::move(roster);
  for (const trust::Device& device : roster_->roster.devices) {
    TRY(store_.remove_pending(device.key.spki()));
  }
  return ok();
}

Result<void> Site::check_devices(const trust::Directive& directive) const {
  if (!roster_) return Error{Code::kConflict, "there is no roster yet"};
  std::set<std::string> covered;
  for (const std::string& id : directive.devices) {
    const trust::Device* device = roster_->roster.find(id);
    if (device == nullptr || device->revoked) {
      return Error{Code::kConflict, id + " is not in the roster"};
    }
    if (!directive.is_canary(id)) continue;
    if (!device->canary) return Error{Code::kConflict, id + " is no canary in the roster"};
    covered.insert(device->hardware.begin(), device->hardware.end());
  }
  for (const std::string& id : directive.devices) {
    for (const std::string& hardware : roster_->roster.find(id)->hardware) {
      if (covered.contains(hardware)) continue;
      return Error{Code::kConflict,
                   fmt::format("no canary covers hardware class {} of {}: its gate "
                               "would stay shut",
                               hardware, id)};
    }
  }
  return ok();
}

// All of it is on the disk or nothing: a rollout is not superseded by a directive that is lost.
Result<void> Site::begin_locked(trust::VerifiedDirective fresh, const std::string& actor) {
  const trust::Directive& directive = fresh.directive;
  std::optional<RolloutStep> ended;
  if (rollout_) {
    std::string by = fmt::format("directive {}", directive.sequence);
    TRY_ASSIGN(Planned planned, seeder::command(*rollout_, Command::kSupersede, by, clock_.now()));
    ended = step_of(planned, actor);
  }
  Event made = event(
      "directive", actor,
      fmt::format("directive {}: {} on {} devices, canaries {}", directive.sequence,
                  directive.bundle, directive.devices.size(), fmt::join(directive.canaries, ", ")));
  made.sequence = directive.sequence;
  made.document = fresh.digest.hex();
  RolloutState begun = begin_rollout(directive);
  TRY(store_.add_directive(fresh.digest, fresh.envelope, made, {begun, directive.bundle}, ended));
  directive_floor_ = directive.sequence;
  rollout_ = std::move(begun);
  directive_ = std::move(fresh);
  attestations_.clear();
  bundle_.reset();
  carriers_.clear();
  return ok();
}

Result<void> Site::post_directive(BytesView envelope, const Caller& caller, IfRunning running) {
  {
    std::lock_guard lock(mutex_);
    TRY_ASSIGN(auto fresh, trust::verify_directive(envelope, options_.operators, options_.name,
                                                   directive_floor_ + 1));
    if (clock_.now() >= fresh.directive.expires) {
      return Error{Code::kExpired, "directive: expired at " + format_utc(fresh.directive.expires)};
    }
    TRY(check_devices(fresh.directive));
    if (running == IfRunning::kRefuse && rollout_ && !has_ended(rollout_->stage)) {
      return Error{Code::kConflict,
                   fmt::format("rollout {} of {} is still running: wait for its end, abort it, or "
                               "give --replace to end it as superseded",
                               rollout_->sequence, directive_->directive.bundle)};
    }
    TRY(begin_locked(std::move(fresh), actor_of(caller)));
  }
  if (wake_) wake_();
  return ok();
}

// False if it is held already: nodes post again after a restart.
Result<bool> Site::is_news(const trust::VerifiedAttestation& fresh) const {
  const trust::Attestation& said = fresh.attestation;
  if (!directive_) return Error{Code::kConflict, "attestation: there is no directive here"};
  std::int64_t present = directive_->directive.sequence;
  if (said.directive != directive_->digest) {
    return Error{Code::kConflict, fmt::format("attestation: about directive {}, but {} is present",
                                              said.directive_sequence, present)};
  }
  if (!directive_->directive.is_canary(said.device)) {
    return Error{Code::kConflict,
                 fmt::format("attestation: {} is no canary of directive {}", said.device, present)};
  }
  std::size_t held = 0;
  for (const Bytes& envelope : attestations_) {
    auto other = trust::verify_attestation(envelope, roster_->roster);
    if (!other.ok() || other->attestation.device != said.device) continue;
    if (other->digest == fresh.digest) return false;
    ++held;
  }
  if (held < kMaxAttestations) return true;
  return Error{Code::kTooLarge, fmt::format("attestation: {} made {} for directive {} already",
                                            said.device, held, present)};
}

Result<void> Site::post_attestation(BytesView envelope, const Caller& caller) {
  std::lock_guard lock(mutex_);
  if (!roster_) return Error{Code::kUnknownKey, "there is no roster yet"};
  TRY_ASSIGN(auto verified, trust::verify_attestation(envelope, roster_->roster));
  const trust::Attestation& said = verified.attestation;
  if (said.device != caller.name) {
    return Error{Code::kWrongDevice, "attestation of " + said.device + " from " + caller.name};
  }
  TRY_ASSIGN(bool news, is_news(verified));
  if (!news) return ok();
  Event made = event("attestation", said.device,
                     said.outcome == trust::Outcome::kPassed ? "PASSED on " + said.bundle
                                                             : "FAILED: " + said.cause);
  made.device = said.device;
  made.sequence = said.directive_sequence;
  made.document = verified.digest.hex();
  TRY_ASSIGN(bool added, store_.add_attestation(verified.digest, said.directive, envelope, made));
  if (added) {
    attestations_.push_back(std::move(verified.envelope));
    plan_locked();
  }
  return ok();
}

std::string Site::endpoint_of(const api::NodeReport& report, const std::string& remote_ip) const {
  Result<api::Endpoint> endpoint = api::parse_endpoint(report.swarm_endpoint);
  if (!endpoint.ok()) return "";
  if (endpoint->address == "0.0.0.0" || endpoint->address == "::") endpoint->address = remote_ip;
  return endpoint->text();
}

std::vector<std::string> Site::peers_locked(const api::NodeReport& report) {
  std::vector<std::string> peers;
  if (!report.transfer) return peers;
  auto carried = carriers_.find(report.transfer->root);
  if (carried == carriers_.end()) return peers;
  for (const auto& [device, endpoint] : carried->second) {
    auto heard = reports_.find(device);
    bool fresh = heard != reports_.end() && heard->second.at + kIntroduced > clock_.now();
    if (device != report.device && fresh && !endpoint.empty()) peers.push_back(endpoint);
  }
  std::shuffle(peers.begin(), peers.end(), random_);
  if (peers.size() > kMaxPeers) peers.resize(kMaxPeers);
  return peers;
}

Result<api::ReportReply> Site::report(const Caller& caller, const api::NodeReport& report,
                                      const std::string& remote_ip) {
  if (report.device != caller.name) {
    return Error{Code::kWrongDevice, "report of " + report.device + " from " + caller.name};
  }
  std::lock_guard lock(mutex_);
  UtcTime now = clock_.now();
  TRY(store_.put_report({report.device, api::to_json(report).dump(), now},
                        report.directive_sequence));
  reports_[report.device] = {report, now};
  if (report.transfer) {
    carriers_[report.transfer->root][report.device] = endpoint_of(report, remote_ip);
  }
  note_health_locked();
  plan_locked();
  api::ReportReply reply;
  reply.roster_version = roster_ ? roster_->roster.version : 0;
  reply.poll_ms = options_.poll_ms;
  reply.gateway_endpoint = options_.swarm_endpoint;
  reply.peers = peers_locked(report);
  if (directive_ && rollout_) {
    reply.directive_sequence = directive_->directive.sequence;
    reply.attestations = static_cast<std::uint32_t>(attestations_.size());
    reply.batches_open = rollout_->batches_open;
    reply.paused = rollout_->withholds();
  }
  return reply;
}

Result<void> Site::command(std::int64_t sequence, Command what, const Caller& caller) {
  std::lock_guard lock(mutex_);
  if (!rollout_ || rollout_->sequence != sequence) {
    return Error{Code::kNotFound, fmt::format("rollout {} is not the present one", sequence)};
  }
  TRY_ASSIGN(Planned planned, seeder::command(*rollout_, what, actor_of(caller), clock_.now()));
  TRY(keep_locked(planned, actor_of(caller)));
  plan_locked();
  return ok();
}

void Site::tick() {
  std::lock_guard lock(mutex_);
  note_health_locked();
  plan_locked();
}

void Site::bundle_news(BundleNews news) {
  std::lock_guard lock(mutex_);
  if (!directive_ || directive_->directive.manifest != news.manifest_digest) return;
  bundle_ = std::move(news);
  plan_locked();
}

void Site::note(const std::string& kind, const std::string& text, const std::string& actor) {
  std::lock_guard lock(mutex_);
  Event made = event(kind, actor, text);
  if (directive_) made.sequence = directive_->directive.sequence;
  if (Result<void> added = store_.add_event(made); !added.ok()) {
    log(Level::kError, "event not recorded", {{"error", added.error().describe()}});
  }
}

trust::GateState Site::gate_locked() const {
  if (!bundle_ || !roster_ || !directive_) return {};
  return trust::evaluate_gate(*directive_, bundle_->manifest_digest, bundle_->manifest,
                              roster_->roster, attestations_, clock_.now());
}

Observation Site::observe_locked() const {
  Observation seen;
  seen.now = clock_.now();
  seen.listening = started_;
  seen.supplied = bundle_ && bundle_->offered;
  trust::GateState gate = gate_locked();
  seen.gate_open = gate.open;
  seen.soaking = !gate.open && gate.opens_at.has_value();
  seen.gate = bundle_ ? gate.describe() : "the manifest is not here yet";
  for (const auto& [device, heard] : reports_) {
    DeviceNews& news = seen.devices[device];
    news = {heard.report.state,
            heard.report.directive_sequence,
            heard.report.manifest,
            heard.report.code,
            heard.report.error,
            heard.at,
            false,
            heard.report.delivered_from_gateway + heard.report.delivered_from_peers};
  }
  for (const std::string& id : directive_->directive.devices) {
    const trust::Device* device = roster_ ? roster_->roster.find(id) : nullptr;
    if (device == nullptr || device->revoked) seen.devices[id].revoked = true;
  }
  return seen;
}

void Site::plan_locked() {
  if (!directive_ || !rollout_) return;
  Planned planned = advance(*rollout_, directive_->directive, observe_locked());
  if (planned.decisions.empty() && planned.state == *rollout_) return;
  if (Result<void> kept = keep_locked(planned, "gateway"); !kept.ok()) {
    log(Level::kError, "rollout step not recorded, so not taken",
        {{"error", kept.error().describe()}});
  }
}

RolloutStep Site::step_of(const Planned& planned, const std::string& actor) const {
  RolloutStep step{{planned.state, directive_->directive.bundle}, {}};
  for (const Decision& decision : planned.decisions) {
    Event made = event(decision.kind, actor, decision.why);
    made.device = decision.device;
    made.sequence = planned.state.sequence;
    made.document = directive_->digest.hex();
    log(Level::kNotice, "rollout",
        {{"sequence", std::to_string(made.sequence)},
         {"decision", decision.kind},
         {"device", decision.device},
         {"why", decision.why}});
    step.events.push_back(std::move(made));
  }
  return step;
}

// The step counts only once it is on the disk.
Result<void> Site::keep_locked(const Planned& planned, const std::string& actor) {
  RolloutStep step = step_of(planned, actor);
  TRY(store_.put_rollout(step.rollout, step.events));
  rollout_ = planned.state;
  return ok();
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

std::vector<Digest> Site::floor_trees() const {
  std::lock_guard lock(mutex_);
  std::set<Digest> trees;
  for (const auto& [device, heard] : reports_) {
    trees.insert(heard.report.trees.begin(), heard.report.trees.end());
  }
  return {trees.begin(), trees.end()};
}

}  // namespace lineside::seeder
