// SPDX-License-Identifier: Apache-2.0
#include "node/agent.h"

#include <algorithm>
#include <utility>

#include "node/bundle_files.h"
#include "node/decide.h"
#include "node/time_floor.h"
#include "proto/base/log.h"
#include "proto/base/service.h"
#include "proto/trust/attestation.h"

namespace lineside::node {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kMaxFileBytes = 1 << 20;

}  // namespace

Agent::Agent(Surroundings around, NodeConfig config, const trust::PrivateKey& key)
    : around_(around),
      config_(std::move(config)),
      key_(key),
      documents_(around.disk, config_.state, config_.anchors) {}

UtcTime Agent::now() {
  return std::max(around_.clock.now(), ledger_->life().time_floor);
}

Result<void> Agent::start() {
  TRY_ASSIGN(ledger_, Ledger::open(around_.disk, config_.state));
  TRY(ledger_->change([](Life& life) { life.time_floor = std::max(life.time_floor, kBuildTime); }));
  TRY(documents_.load(*ledger_, now()));
  pin_gateways();  // before the first word to anybody
  if (documents_.conflict()) alarm_ = documents_.conflict()->describe();
  load_own_attestation();
  show_holdings();
  Steps::Settings settings{config_.state, config_.hardware, config_.apply_memory_bytes,
                           config_.patience};
  steps_ = std::make_unique<Steps>(around_, *ledger_, settings);
  resume_seeding();
  return feed(Event::kResumed, std::nullopt);
}

Result<void> Agent::run(std::stop_token stop) {
  TRY(start());
  service::report_ready();
  milliseconds pause{0};
  while (wait(pause, stop)) {
    service::report_alive();
    auto next = tick();
    pause = next.ok() ? *next : recover(next.error());
  }
  service::report_stopping();
  worker_.stop();
  return ok();
}

// A full disk may have room again, once logs are rotated or an operator has come. Nothing is done
// meanwhile that is not written down: what could not be is still the old state.
milliseconds Agent::recover(const Error& error) {
  log(Level::kError, "cannot write down the state", {{"why", error.describe()}});
  reply_.reset();  // nothing begins and no gate opens before the gateway was asked again
  // The outcome of an action may be lost; every action can be run again.
  if (!worker_.busy()) launched_ = false;
  return config_.patience.disk;
}

bool Agent::wait(milliseconds time, const std::stop_token& stop) {
  return worker_.wait(time, stop);
}

Result<milliseconds> Agent::tick() {
  TRY(take_outcome());
  talk();
  take_gifts();
  note_alarm();
  listen_for_word();
  TRY(note_pause());
  const UtcTime held = ledger_->life().time_floor;
  const UtcTime floor = documents_.time_floor(held, around_.clock.now());
  if (floor > held) TRY(ledger_->change([floor](Life& life) { life.time_floor = floor; }));
  TRY(consider());
  TRY(ask_gate());
  TRY(attest());
  post_attestations();
  post_evidence();
  show_holdings();
  launch();
  launch_live_check();
  return std::max(poll_, config_.poll_floor);
}

Knowledge Agent::knowledge(const Life& life) {
  Knowledge known{config_.device, life, config_.hardware};
  if (documents_.roster()) known.roster = &documents_.roster()->roster;
  if (documents_.directive()) known.directive = &*documents_.directive();
  known.reply = word();
  known.now = now();
  known.alone = heard_ && around_.clock.steady() - *heard_ >= config_.patience.gateway;
  known.time_missing = is_time_missing(life.time_floor, around_.clock.now());
  if (documents_.conflict()) known.alarm = documents_.conflict()->describe();
  return known;
}

// What the gateway says of another directive than the one that is held is no word about it: it has
// not got the newer one, or pretends so.
const api::ReportReply* Agent::word() const {
  if (!reply_) return nullptr;
  const std::int64_t held = documents_.directive() ? documents_.directive()->directive.sequence : 0;
  return reply_->directive_sequence == held ? &*reply_ : nullptr;
}

void Agent::listen_for_word() {
  std::optional<Digest> present;
  if (documents_.directive()) present = documents_.directive()->digest;
  if (heard_ && word() == nullptr && present == awaited_) return;
  heard_ = around_.clock.steady();
  if (present == awaited_) return;
  awaited_ = present;
  fetched_there_.reset();
  if (present) attestations_.begin(*present);
  load_own_attestation();
}

// Durable, since the gateway may be gone when this device comes up again.
Result<void> Agent::note_pause() {
  if (word() == nullptr || !documents_.directive()) return ok();
  const std::int64_t paused = word()->paused ? word()->directive_sequence : 0;
  if (paused == ledger_->life().paused_sequence) return ok();
  return ledger_->change([paused](Life& life) { life.paused_sequence = paused; });
}

void Agent::note_alarm() {
  const std::string present =
      documents_.conflict() ? documents_.conflict()->describe() : std::string();
  if (present == alarm_) return;
  alarm_ = present;
  evidence_posted_ = false;
  if (!alarm_.empty()) ledger_->alarm(alarm_, now());
}

// ---- the life table ----------------------------------------------------------------------------

Result<void> Agent::feed(Event event, const std::optional<Error>& error) {
  std::optional<std::int64_t> floor;
  Life before = ledger_->life();
  if (event == Event::kTrialPassed && before.target) {
    auto manifest = stored_manifest(around_.disk, config_.state, before.target->manifest);
    if (manifest.ok()) floor = manifest->security_floor;
  }
  std::optional<api::Transfer> fetched;
  if (event == Event::kFetched && before.delivery) {
    fetched = around_.transport.transfer(before.delivery->root);
  }
  const UtcTime time = now();
  TRY_ASSIGN(Action action, ledger_->step(event, time, [&](Life& life) {
    if (fetched) {
      life.from_gateway += fetched->from_gateway;
      life.from_peers += fetched->from_peers;
    }
    if (error) {
      life.code = code_name(error->code);
      life.error = error->what;
    }
    if (event == Event::kCheckPassed || event == Event::kActivated) life.tries = kTries;
    if (event == Event::kTrialPassed && life.target) {
      if (life.before && life.before != life.target->tree) life.previous = life.before;
      life.confirmed = life.target;
      set_inferring(life, true, "", time);
      std::string name = life.target->name.substr(0, life.target->name.find('/'));
      std::int64_t& held = life.security_floors[name];
      if (floor) held = std::max(held, *floor);
    }
    if (event == Event::kTrialFailed || event == Event::kActivationFailed) {
      set_inferring(life, false, "rolled back, and the tree before is not checked yet", time);
    }
  }));
  enter(event, action);
  return ok();
}

void Agent::enter(Event event, Action action) {
  action_ = action;
  launched_ = false;
  retry_at_ = {};
  waiting_for_.reset();
  if (event == Event::kTrialPassed) {
    lived_ = scanned_ = around_.clock.steady();  // the trial did both
  } else if (event == Event::kTrialFailed || event == Event::kActivationFailed) {
    lived_.reset();
    scanned_.reset();
  }
}

Result<void> Agent::take_outcome() {
  auto outcome = worker_.take();
  if (!outcome) return ok();
  if (std::exchange(living_, false)) {
    if (outcome->error && outcome->error->code != Code::kCancelled) {
      log(Level::kWarning, "live check", {{"why", outcome->error->describe()}});
    }
    return ok();
  }
  Life life = ledger_->life();
  if (auto end = cut_short(knowledge(life))) return feed(*end, std::nullopt);
  if (outcome->event) return feed(*outcome->event, outcome->error);
  if (outcome->retry_after.count() > 0) {
    waiting_for_ = outcome->error;
    log(Level::kWarning, "waiting",
        {{"action", std::string(action_name(action_))}, {"why", outcome->error->describe()}});
    launched_ = false;
    retry_at_ = around_.clock.steady() + outcome->retry_after;
    return ok();
  }
  action_ = Action::kNone;  // it had no outcome to feed: clean-up at rest
  return ok();
}

Result<void> Agent::consider() {
  Life life = ledger_->life();
  Knowledge known = knowledge(life);
  if (auto end = cut_short(known)) {
    if (worker_.busy()) {
      worker_.stop();
      return ok();
    }
    TRY(feed(*end, std::nullopt));
    life = ledger_->life();
  } else if (auto over = run_out(known)) {
    if (worker_.busy() && !living_) {
      worker_.stop();
      return ok();
    }
    if (waiting_for_) over->what += "; until then: " + waiting_for_->what;
    TRY(feed(Event::kStepFailed, over));
    life = ledger_->life();
  }
  if (!may_begin(known)) {
    if (auto why = not_in_its_time(known)) {
      waiting_for_ = std::move(why);
    } else if (at_rest(life.state)) {
      waiting_for_ = not_begun(known);
    }
    return ok();
  }
  if (worker_.busy() && !living_) return ok();
  // As long as the bad tree may still be current, it must not become a newer directive's way back.
  if (life.state == State::kRolledBack && action_ == Action::kRollBack) return ok();
  if (living_) worker_.stop();
  return begin();
}

Result<void> Agent::begin() {
  const trust::VerifiedDirective& directive = *documents_.directive();
  // One durable step: a sequence that is written down without its state would never be begun.
  auto reset = [&directive](Life& life) {
    life.sequence = directive.directive.sequence;
    life.directive = directive.digest;
    life.target.reset();
    life.before.reset();
    life.tries = kTries;
    life.code.clear();
    life.error.clear();
    life.from_gateway = 0;
    life.from_peers = 0;
    life.passed_tests.clear();
    life.failed_tests.clear();
    life.measured.clear();
  };
  // What was fetched for the directive before is not counted again.
  if (Life life = ledger_->life(); life.delivery) {
    around_.transport.count_anew(life.delivery->root);
  }
  TRY_ASSIGN(Action action, ledger_->step(Event::kDirective, now(), reset));
  enter(Event::kDirective, action);
  return ok();
}

Result<void> Agent::ask_gate() {
  Life life = ledger_->life();
  if (life.state != State::kGated || !life.target) return ok();
  auto manifest = stored_manifest(around_.disk, config_.state, life.target->manifest);
  if (!manifest.ok()) return feed(Event::kStepFailed, manifest.error());
  if (word() != nullptr && word()->attestations != fetched_there_) {
    auto envelopes = around_.link.attestations(life.directive);
    if (envelopes.ok()) {
      fetched_there_ = word()->attestations;
      take_attestations(*envelopes, "gateway");
    }
  }
  std::string shut = gate_shut(knowledge(life), *manifest, attestations_.envelopes());
  if (shut.empty()) return feed(Event::kGateOpen, std::nullopt);
  waiting_for_ = Error{Code::kGateShut, shut};
  return ok();
}

void Agent::launch() {
  if (action_ == Action::kNone || action_ == Action::kAwaitGate || launched_ || worker_.busy() ||
      around_.clock.steady() < retry_at_) {
    return;
  }
  Life life = ledger_->life();
  if (before_switch(life.state)) {
    if (auto why = stopped(knowledge(life))) {
      waiting_for_ = std::move(why);
      return;
    }
  }
  auto directive = life_directive(life);
  if (!directive) {
    if (before_switch(life.state)) return;  // it comes again from the gateway
    directive.emplace();                    // the switch and what follows need none
  }
  launched_ = true;
  waiting_for_.reset();
  worker_.start([this, action = action_, directive = std::move(*directive)](std::stop_token stop) {
    return steps_->run(action, directive, std::move(stop));
  });
}

std::optional<trust::VerifiedDirective> Agent::life_directive(const Life& life) const {
  if (documents_.directive() && documents_.directive()->digest == life.directive) {
    return documents_.directive();
  }
  return std::nullopt;
}

// What runs is watched whatever becomes of a directive: while it waits for its gate, a delivery or
// a pause to end, nothing is switched, and the tree before it is what the line lives on. At rest
// the clean-up comes first.
void Agent::launch_live_check() {
  Life life = ledger_->life();
  if (worker_.busy() || !life.confirmed) return;
  bool idle =
      before_switch(life.state) || (at_rest(life.state) && (action_ == Action::kNone || launched_));
  SteadyTime steady = around_.clock.steady();
  bool due = !lived_ || steady - *lived_ >= config_.live_check;
  if (!idle || !due) return;
  bool scan = !scanned_ || steady - *scanned_ >= config_.verify_every;
  lived_ = steady;
  if (scan) scanned_ = steady;
  living_ = true;
  worker_.start(
      [this, scan](std::stop_token stop) { return steps_->live_check(scan, std::move(stop)); });
}

// ---- attestation -------------------------------------------------------------------------------

// Written down before the counter says so: after a power cut the same one is made again, or found.
Result<void> Agent::attest() {
  Life life = ledger_->life();
  Knowledge known = knowledge(life);
  auto outcome = attestation_due(known);
  if (!outcome) return ok();
  Path file = own_attestation(config_.state, life.sequence);
  TRY_ASSIGN(auto there, around_.disk.stat(file));
  if (!there) {
    auto manifest = stored_manifest(around_.disk, config_.state, life.target->manifest);
    if (!manifest.ok()) {
      log(Level::kWarning, "cannot attest", {{"why", manifest.error().describe()}});
      return ok();
    }
    TRY_ASSIGN(Bytes envelope,
               trust::seal_attestation(make_attestation(known, *manifest, *outcome), key_));
    TRY(around_.disk.make_dirs(file.parent_path()));
    TRY(around_.disk.replace(file, envelope));
  }
  load_own_attestation();
  log(Level::kNotice, "attested", {{"passed", *outcome == trust::Outcome::kPassed ? "yes" : "no"}});
  return ledger_->change([](Life& edit) {
    edit.attested_sequence = edit.sequence;
    ++edit.attestation_counter;
  });
}

void Agent::post_attestations() {
  std::int64_t sequence = ledger_->life().attested_sequence;
  if (sequence == 0 || posted_.count(sequence) != 0 || !reply_) return;
  // Under a newer directive nobody needs it any more.
  if (documents_.directive() && documents_.directive()->directive.sequence > sequence) return;
  auto envelope = around_.disk.read(own_attestation(config_.state, sequence), kMaxFileBytes);
  if (!envelope.ok() && envelope.error().code == Code::kNotFound) {
    posted_.insert(sequence);  // nothing of ours is there to be posted
    return;
  }
  // A gateway that does not know the directive yet says kNotFound: it is asked again.
  auto posted =
      envelope.ok() ? around_.link.post_attestation(*envelope) : Result<void>(envelope.error());
  if (posted.ok()) {
    posted_.insert(sequence);
    held_there_ = std::max(held_there_, 1U);
  } else {
    log(Level::kWarning, "attestation not accepted yet", {{"why", posted.error().describe()}});
  }
}

}  // namespace lineside::node
