// SPDX-License-Identifier: Apache-2.0
// Fetching and staging: from a directive to a verified tree beside the running one.
#include <algorithm>
#include <utility>

#include "delta/apply_delivery.h"
#include "node/bundle_files.h"
#include "node/leaves.h"
#include "node/steps.h"
#include "proto/base/log.h"

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

}  // namespace

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
  return Outcome::failed(Event::kStepFailed, done.error());
}

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
  return Outcome::failed(Event::kStepFailed, done.error());
}

}  // namespace lineside::node
