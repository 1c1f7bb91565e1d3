// SPDX-License-Identifier: Apache-2.0
#include "node/steps.h"

#include <algorithm>
#include <utility>

#include "delta/apply_delivery.h"
#include "delta/scan.h"
#include "node/bundle_files.h"
#include "node/leaves.h"
#include "proto/base/log.h"
#include "proto/trust/merkle.h"

namespace lineside::node {
namespace {

using std::chrono::milliseconds;
using trust::Manifest;
using trust::TreeId;

constexpr unsigned kThreads = 2;
constexpr unsigned kDeliveryAttempts = 3;
constexpr std::uint64_t kSpareBytes = 16 << 20;  // left free for logs and state

// What another try can mend: a network, a gateway that is not ready or withholds, metadata that
// somebody will renew. Everything else is final for this directive.
bool worth_retrying(Code code) {
  switch (code) {
    case Code::kNetwork:
    case Code::kTimeout:
    case Code::kHttp:
    case Code::kNotFound:
    case Code::kUnknownKey:
    case Code::kBadSignature:
    case Code::kRollback:
    case Code::kExpired:
    case Code::kMismatch:  // a mirror in the middle of an update
    case Code::kMalformed:
      return true;
    default:
      return false;
  }
}

Outcome failed(Event event, Error error) {
  if (error.code == Code::kCancelled) return {};
  return {event, std::move(error), {}};
}

std::string describe(const std::vector<delta::Difference>& differences) {
  const delta::Difference& first = differences.front();
  return std::to_string(differences.size()) + " differences from the signed listing, first " +
         first.path + ": " + std::string(delta::difference_name(first.kind)) +
         (first.detail.empty() ? "" : ", " + first.detail);
}

std::uint64_t inferences_of(const CheckReport& report) {
  std::uint64_t count = 0;
  for (const CheckItem& item : report.checks) {
    if (item.status == CheckStatus::kPassed && item.id.rfind("infer.", 0) == 0) ++count;
  }
  auto runs = report.measured.find("latency.n");
  if (runs != report.measured.end()) count += std::strtoull(runs->second.c_str(), nullptr, 10);
  return count;
}

api::CheckSummary summary_of(const CheckReport& report, const char* phase) {
  api::CheckSummary summary;
  summary.phase = phase;
  summary.verdict = verdict_name(report.verdict);
  summary.cause = report.cause;
  summary.finished = report.finished;
  summary.measured = report.measured;
  summary.stderr_tail = report.stderr_tail;
  return summary;
}

Error error_of(const CheckReport& report) {
  return {report.verdict == Verdict::kError ? Code::kCheckError : Code::kCheckFailed, report.cause};
}

}  // namespace

Steps::Steps(Surroundings around, Ledger& ledger, Settings settings)
    : around_(around), ledger_(ledger), settings_(std::move(settings)) {}

UtcTime Steps::now() const {
  return std::max(around_.clock.now(), ledger_.life().time_floor);
}

Path Steps::delivery_file(const Digest& root) const {
  return settings_.state / "deliveries" / root.hex();
}

Outcome Steps::run(Action action, const trust::VerifiedDirective& directive, std::stop_token stop) {
  switch (action) {
    case Action::kFetch:
      return fetch(directive.directive, std::move(stop));
    case Action::kStage:
      return stage(std::move(stop));
    case Action::kCheck:
      return check(std::move(stop));
    case Action::kActivate:
      return activate();
    case Action::kTry:
      return trial(std::move(stop));
    case Action::kConfirm:
      return confirm();
    case Action::kDiscard:
      return discard();
    case Action::kRollBack:
      return roll_back();
    case Action::kNone:
    case Action::kAwaitGate:
      break;
  }
  return {};
}

// ---- fetching ----------------------------------------------------------------------------------

Result<void> Steps::accept(const Manifest& manifest) const {
  bool fits = std::any_of(
      settings_.hardware.begin(), settings_.hardware.end(), [&manifest](const std::string& own) {
        return std::count(manifest.hardware.begin(), manifest.hardware.end(), own) != 0;
      });
  if (!fits) {
    std::string classes;
    for (const std::string& name : manifest.hardware) classes += " " + name;
    return Error{Code::kWrongHardware, manifest.target_name() + " is for" + classes};
  }
  Life life = ledger_.life();
  auto floor = life.security_floors.find(manifest.name);
  if (floor != life.security_floors.end() && manifest.release < floor->second) {
    return Error{Code::kRollback,
                 manifest.target_name() + " is release " + std::to_string(manifest.release) +
                     ", below the security floor " + std::to_string(floor->second)};
  }
  return ok();
}

Result<void> Steps::check_space(const Manifest& manifest, std::uint64_t delivery) const {
  TRY_ASSIGN(std::uint64_t free, around_.disk.free_bytes(settings_.state));
  std::uint64_t needed = manifest.tree_length + delivery + kSpareBytes;
  if (free >= needed) return ok();
  return Error{Code::kNoSpace, "tree " + std::to_string(manifest.tree_length) + " and delivery " +
                                   std::to_string(delivery) + " bytes need " +
                                   std::to_string(needed) + ", free are " + std::to_string(free)};
}

// The smallest way from any tree that stands here; a full delivery is a way from nothing.
Result<api::DeliveryOffer> Steps::choose(const TreeId& target,
                                         const std::set<Digest>& refused) const {
  TRY_ASSIGN(std::vector<TreeId> bases, around_.slots.trees());
  bases.push_back(sha256({}));
  std::optional<api::DeliveryOffer> best;
  Error last{Code::kNotFound, "the gateway offers no delivery"};
  for (const TreeId& base : bases) {
    if (base == target || !stored_listing(around_.disk, settings_.state, base).ok()) continue;
    auto offer = around_.link.delivery(base, target);
    if (!offer.ok()) {
      last = offer.error();
      continue;
    }
    bool sane = offer->base == base && offer->target == target && offer->length > 0 &&
                offer->length <= (1ULL << 40) && refused.count(offer->root) == 0;
    if (sane && (!best || offer->length < best->length)) best = *offer;
  }
  if (!best) return last;
  return *best;
}

// Gets a delivery's file. The choice is durable before the first byte, so that a restart goes on.
Result<void> Steps::obtain(const Manifest& manifest, const std::set<Digest>& refused,
                           std::stop_token stop) {
  Life life = ledger_.life();
  bool chosen = life.delivery && life.delivery->target == manifest.tree &&
                refused.count(life.delivery->root) == 0;
  // Perhaps the gateway has made another, and nobody has the rest of this one any more. Without an
  // answer it stays: others may still have it.
  if (chosen && stalled_ == life.delivery->root) {
    auto offer = choose(manifest.tree, refused);
    chosen = !offer.ok() || offer->root == life.delivery->root;
  }
  stalled_.reset();
  if (!chosen) {
    TRY_ASSIGN(api::DeliveryOffer offer, choose(manifest.tree, refused));
    if (life.delivery) TRY(around_.transport.forget(life.delivery->root, true));
    TRY(ledger_.change([&offer](Life& edit) { edit.delivery = offer; }));
    life = ledger_.life();
  }
  const api::DeliveryOffer& offer = *life.delivery;
  TRY(check_space(manifest, offer.length));
  TRY(around_.disk.make_dirs(settings_.state / "deliveries"));
  TRY_ASSIGN(auto leaves, obtain_leaves(around_.disk, around_.link, delivery_file(offer.root),
                                        offer.root, offer.length));
  TRY(around_.transport.fetch({offer.root, offer.length, delivery_file(offer.root)}, leaves));
  auto arrived = around_.transport.wait(offer.root, std::move(stop));
  if (!arrived.ok() && arrived.error().code == Code::kTimeout) stalled_ = offer.root;
  TRY(arrived);
  auto transfer = around_.transport.transfer(offer.root);
  return ledger_.change([&transfer](Life& edit) {
    edit.from_gateway += transfer ? transfer->from_gateway : 0;
    edit.from_peers += transfer ? transfer->from_peers : 0;
  });
}

Outcome Steps::fetch(const trust::Directive& directive, std::stop_token stop) {
  bool final = false;
  auto work = [&]() -> Result<void> {
    TRY_ASSIGN(Manifest manifest,
               fetch_manifest(around_.disk, settings_.state, around_.link, directive, now()));
    BundleRef target{directive.bundle, manifest.version, directive.manifest, manifest.tree,
                     manifest.release};
    TRY(ledger_.change([&target](Life& life) { life.target = target; }));
    final = true;  // what the manifest itself forbids, no retry mends
    TRY(accept(manifest));
    final = false;
    TRY(tidy(true));
    TRY(fetch_listing(around_.disk, settings_.state, around_.link, manifest, now()));
    TRY_ASSIGN(bool there, around_.slots.has(manifest.tree));
    if (there) return ok();
    return obtain(manifest, {}, stop);
  };
  auto done = work();
  if (done.ok()) return {Event::kFetched, std::nullopt, {}};
  if (!final && worth_retrying(done.error().code))
    return {std::nullopt, done.error(), milliseconds(2'000)};
  return failed(Event::kStepFailed, done.error());
}

// ---- staging -----------------------------------------------------------------------------------

Result<void> Steps::build(const Manifest& manifest, std::stop_token stop) {
  TRY_ASSIGN(auto target, stored_listing(around_.disk, settings_.state, manifest.tree));
  std::set<Digest> refused;
  for (unsigned attempt = 1;; ++attempt) {
    Life life = ledger_.life();
    if (!life.delivery || life.delivery->target != manifest.tree || attempt > 1) {
      TRY(obtain(manifest, refused, stop));
      life = ledger_.life();
    }
    TRY_ASSIGN(auto base, stored_listing(around_.disk, settings_.state, life.delivery->base));
    delta::ApplyOptions options;
    options.threads = kThreads;
    options.max_memory_bytes = settings_.apply_memory_bytes;
    auto applied = delta::apply_delivery(around_.disk, delivery_file(life.delivery->root), base,
                                         around_.slots.dir(life.delivery->base), target,
                                         around_.slots.dir(manifest.tree), options, {}, stop);
    if (applied.ok()) return ok();
    Code code = applied.error().code;
    bool lies = code == Code::kMismatch || code == Code::kMalformed || code == Code::kUnsupported ||
                code == Code::kNotFound;
    if (!lies || attempt == kDeliveryAttempts) return applied.error();
    // A delivery that anybody may have made: it wasted time, and another one is asked for.
    log(Level::kWarning, "delivery refused",
        {{"root", life.delivery->root.hex()}, {"why", applied.error().describe()}});
    refused.insert(life.delivery->root);
    TRY(around_.disk.remove_tree(delta::partial_path(around_.slots.dir(manifest.tree))));
  }
}

Outcome Steps::stage(std::stop_token stop) {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(Manifest manifest,
               stored_manifest(around_.disk, settings_.state, life.target->manifest));
    TRY_ASSIGN(bool there, around_.slots.has(manifest.tree));
    if (!there) return build(manifest, stop);
    // An older slot that is to run again: its bytes may have rotted since.
    auto whole = read_back(manifest.tree, stop);
    TRY_ASSIGN(auto current, around_.slots.current());
    if (whole.ok() || whole.error().code != Code::kMismatch || current == manifest.tree) {
      return whole;
    }
    TRY(around_.disk.remove_tree(around_.slots.dir(manifest.tree)));
    return build(manifest, stop);
  };
  auto done = work();
  if (done.ok()) return {Event::kStaged, std::nullopt, {}};
  Code code = done.error().code;
  bool network = code == Code::kNetwork || code == Code::kTimeout || code == Code::kHttp;
  if (network) return {std::nullopt, done.error(), milliseconds(2'000)};
  return failed(Event::kStepFailed, done.error());
}

// ---- checking ----------------------------------------------------------------------------------

// Compares the slot on the disk with the signed listing.
Result<void> Steps::read_back(const TreeId& tree, std::stop_token stop) {
  TRY_ASSIGN(auto listing, stored_listing(around_.disk, settings_.state, tree));
  TRY_ASSIGN(auto differences, delta::verify_tree(around_.disk, around_.slots.dir(tree), listing,
                                                  kThreads, std::move(stop)));
  if (differences.empty()) return ok();
  return Error{Code::kMismatch, describe(differences)};
}

Result<CheckReport> Steps::run_check(const TreeId& tree, const Digest& manifest_digest,
                                     const char* phase, std::stop_token stop) {
  TRY_ASSIGN(Manifest manifest, stored_manifest(around_.disk, settings_.state, manifest_digest));
  CheckRequest request;
  request.tree = around_.slots.dir(tree);
  request.manifest = &manifest;
  TRY_ASSIGN(auto current, around_.slots.current());
  if (current && *current != tree) request.running = around_.slots.dir(*current);
  TRY_ASSIGN(CheckReport report, around_.checker.run(request, std::move(stop)));
  TRY(ledger_.change([&](Life& life) {
    life.check = summary_of(report, phase);
    life.check_started = report.started;
    life.passed_tests = report.ids(CheckStatus::kPassed);
    life.failed_tests = report.ids(CheckStatus::kFailed);
  }));
  return report;
}

Outcome Steps::check(std::stop_token stop) {
  Life life = ledger_.life();
  auto report = run_check(life.target->tree, life.target->manifest, "staged", std::move(stop));
  if (!report.ok()) return failed(Event::kStepFailed, report.error());
  if (report->verdict != Verdict::kPass) return failed(Event::kStepFailed, error_of(*report));
  return {Event::kCheckPassed, std::nullopt, {}};
}

// ---- the switch --------------------------------------------------------------------------------

Outcome Steps::activate() {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(auto current, around_.slots.current());
    if (current == life.target->tree && life.before) return ok();  // the cut came after the switch
    if (life.tries == 0) return Error{Code::kConflict, "the attempts to activate are used up"};
    TRY(ledger_.change([&current](Life& edit) {
      --edit.tries;
      // A running tree that is rolled out again is its own way back. One that is not confirmed was
      // made current by an activation that was cut off, and its way back is written down already.
      bool confirmed = edit.confirmed && current == edit.confirmed->tree;
      if (current != edit.target->tree || confirmed) edit.before = current;
    }));
    return around_.slots.activate(life.target->tree);
  };
  auto done = work();
  if (!done.ok()) return failed(Event::kActivationFailed, done.error());
  return {Event::kActivated, std::nullopt, {}};
}

Outcome Steps::trial(std::stop_token stop) {
  Life life = ledger_.life();
  if (life.tries == 0) {
    return failed(Event::kTrialFailed,
                  {Code::kCheckFailed,
                   "the trial was begun " + std::to_string(kTries) + " times and never ended"});
  }
  auto work = [&]() -> Result<void> {
    TRY(ledger_.change([](Life& edit) {
      --edit.tries;
      edit.inferences = 0;
    }));
    TRY(read_back(life.target->tree, stop));
    UtcTime read = now();
    TRY(ledger_.change([&](Life& edit) {
      edit.read_back = life.target->tree;
      edit.read_back_at = read;
    }));
    TRY_ASSIGN(CheckReport report,
               run_check(life.target->tree, life.target->manifest, "trial", stop));
    if (report.verdict != Verdict::kPass) return error_of(report);
    return ledger_.change([&](Life& edit) { edit.inferences = inferences_of(report); });
  };
  auto done = work();
  if (!done.ok()) return failed(Event::kTrialFailed, done.error());
  return {Event::kTrialPassed, std::nullopt, {}};
}

Outcome Steps::confirm() {
  Life life = ledger_.life();
  auto work = [&]() -> Result<void> {
    if (life.target) TRY(around_.slots.mark_good(life.target->tree));
    return tidy(true);
  };
  auto done = work();
  if (!done.ok()) log(Level::kWarning, "after confirmation", {{"why", done.error().describe()}});
  return {};
}

Outcome Steps::discard() {
  auto done = tidy(false);
  if (!done.ok()) log(Level::kWarning, "cannot discard", {{"why", done.error().describe()}});
  return {};
}

// Firmware, runtime and models go back together: they are one tree.
Outcome Steps::roll_back() {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(auto current, around_.slots.current());
    bool switched = life.target && current == life.target->tree && life.before != current;
    if (switched) {
      TRY(around_.slots.activate(life.before));
      TRY(ledger_.change([](Life& edit) { edit.read_back.reset(); }));
    }
    return tidy(false);
  };
  auto done = work();
  if (done.ok()) return {};
  return {std::nullopt, done.error(), milliseconds(5'000)};
}

// Of deliveries only the present one stays, with what belongs to its file (leaves, resume data).
// Others were given up in the middle, or the power went before they were removed.
Result<void> Steps::collect_deliveries(const std::string& present) {
  Path folder = settings_.state / "deliveries";
  TRY_ASSIGN(auto there, around_.disk.stat(folder));
  if (!there) return ok();
  TRY_ASSIGN(auto entries, around_.disk.list(folder));
  for (const DirEntry& entry : entries) {
    if (!present.empty() && entry.name.rfind(present, 0) == 0) continue;
    TRY(around_.disk.remove_tree(folder / entry.name));
  }
  return ok();
}

// Keeps what runs, the way back and, if asked for, what is being worked on.
Result<void> Steps::tidy(bool keep_target) {
  Life life = ledger_.life();
  std::set<TreeId> trees;
  std::set<Digest> manifests;
  TRY_ASSIGN(auto current, around_.slots.current());
  if (current) trees.insert(*current);
  if (life.before) trees.insert(*life.before);
  if (life.previous) trees.insert(*life.previous);
  if (life.confirmed) {
    trees.insert(life.confirmed->tree);
    manifests.insert(life.confirmed->manifest);
  }
  if (life.target) manifests.insert(life.target->manifest);
  if (life.target && keep_target) trees.insert(life.target->tree);
  TRY(around_.slots.collect(trees));
  TRY(collect_deliveries(life.delivery ? life.delivery->root.hex() : std::string()));
  return collect_bundle_files(around_.disk, settings_.state, manifests, trees);
}

Outcome Steps::live_check(bool scan, std::stop_token stop) {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(auto current, around_.slots.current());
    if (!current || !life.confirmed || life.confirmed->tree != *current) return ok();
    if (scan) {
      auto whole = read_back(*current, stop);
      if (!whole.ok() && whole.error().code == Code::kCancelled) return whole;
      UtcTime read = now();
      TRY(ledger_.change([&](Life& edit) {
        edit.read_back.reset();
        if (whole.ok()) edit.read_back = *current;
        edit.read_back_at = read;
      }));
      if (!whole.ok()) log(Level::kError, "the current tree", {{"why", whole.error().describe()}});
    }
    TRY_ASSIGN(CheckReport report, run_check(*current, life.confirmed->manifest, "live", stop));
    if (report.verdict == Verdict::kFail) {
      log(Level::kError, "inference is dead", {{"cause", report.cause}});
    }
    return ledger_.change([&](Life& edit) {
      edit.inferring = report.verdict == Verdict::kPass;
      if (edit.inferring) edit.inferences += inferences_of(report);
    });
  };
  auto done = work();
  if (done.ok()) return {};
  return {std::nullopt, done.error(), {}};
}

}  // namespace lineside::node
