// SPDX-License-Identifier: Apache-2.0
// Fetching and staging: from a directive to a verified tree beside the running one.
#include <algorithm>
#include <utility>

#include "delta/apply_delivery.h"
#include "node/bundle_files.h"
#include "node/leaves.h"
#include "node/steps.h"
#include "proto/base/log.h"
#include "proto/trust/space.h"

namespace lineside::node {
namespace {

using trust::Manifest;
using trust::TreeId;

constexpr unsigned kThreads = 2;
constexpr unsigned kDeliveryAttempts = 3;

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
    case Code::kTooLarge:  // endless data; another source may have the right ones
      return true;
    default:
      return false;
  }
}

}  // namespace

// From the gateway; if it has not got what is signed, from whoever else says so.
template <class Fetch>
auto Steps::from_anybody(Fetch fetch) const {
  auto result = fetch(around_.link);
  if (result.ok() || !worth_retrying(result.error().code)) return result;
  for (const auto& source : around_.peers.sources()) {
    auto other = fetch(*source);
    if (other.ok()) return other;
  }
  return result;
}

// A gateway that freezes the vendor's metadata is overtaken here, before anything is installed by
// them.
void Steps::refresh_from_peers() const {
  for (const auto& source : around_.peers.sources()) {
    auto refreshed = refresh_vendor(around_.disk, settings_.state, *source, now());
    if (refreshed.ok() || refreshed.error().code == Code::kNetwork) continue;
    log(Level::kInfo, "a peer's metadata is not taken", {{"why", refreshed.error().describe()}});
  }
}

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
  std::uint64_t needed = trust::space_needed(manifest.tree_length, delivery);
  if (free >= needed) return ok();
  return Error{Code::kNoSpace, "tree " + std::to_string(manifest.tree_length) + " and delivery " +
                                   std::to_string(delivery) + " bytes need " +
                                   std::to_string(needed) + ", free are " + std::to_string(free)};
}

// What the gateway says of all the trees that stand here; a full delivery is a way from nothing.
struct Steps::Offers {
  std::optional<api::DeliveryOffer> best;
  std::optional<TreeId> prepared;  // a base from which one is being made
  bool refused = false;            // one was offered that did not make what is signed
  Error last{Code::kNotFound, "the gateway has no delivery of this tree yet"};
};

Result<Steps::Offers> Steps::ask(const TreeId& target) const {
  TRY_ASSIGN(std::vector<TreeId> bases, around_.slots.trees());
  bases.push_back(sha256({}));
  Offers found;
  for (const TreeId& base : bases) {
    if (base == target || !stored_listing(around_.disk, settings_.state, base).ok()) continue;
    auto offer = from_anybody([&](GatewayLink& link) { return link.delivery(base, target); });
    if (!offer.ok()) {
      if (offer.error().code == Code::kTimeout && !found.prepared) found.prepared = base;
      if (offer.error().code != Code::kNotFound) found.last = offer.error();
      continue;
    }
    bool sane = offer->base == base && offer->target == target && offer->length > 0 &&
                offer->length <= (1ULL << 40);
    if (!sane) continue;
    if (refused_.count(offer->root) != 0) {
      found.refused = true;
    } else if (!found.best || offer->length < found.best->length) {
      found.best = *offer;
    }
  }
  return found;
}

// The smallest of them. A full one is not hurried for while a delta is being made: on a slow line
// that costs more than waiting, though not without end.
Result<api::DeliveryOffer> Steps::choose(const TreeId& target) {
  TRY_ASSIGN(Offers found, ask(target));
  if (found.best && found.prepared && found.best->base == sha256({})) {
    SteadyTime steady = around_.clock.steady();
    if (!prepared_since_) prepared_since_ = steady;
    if (steady - *prepared_since_ >= settings_.patience.smaller) return *found.best;
  } else if (found.best) {
    return *found.best;
  }
  if (found.prepared) {
    const std::string base =
        *found.prepared == sha256({}) ? "nothing" : "tree " + found.prepared->hex().substr(0, 12);
    return Error{Code::kTimeout, "the gateway prepares a delivery from " + base};
  }
  if (found.refused) {
    return Error{Code::kMismatch, "no delivery that the gateway offers makes the signed tree"};
  }
  return found.last;
}

// Gets a delivery's file. The choice is durable before the first byte, so that a restart goes on.
Result<void> Steps::obtain(const Manifest& manifest, std::stop_token stop) {
  Life life = ledger_.life();
  bool chosen = life.delivery && life.delivery->target == manifest.tree &&
                refused_.count(life.delivery->root) == 0;
  // Perhaps the gateway has made another, and nobody has the rest of this one any more. Without an
  // answer it stays: others may still have it.
  if (chosen && stalled_ == life.delivery->root) {
    auto offer = choose(manifest.tree);
    chosen = !offer.ok() || offer->root == life.delivery->root;
  }
  stalled_.reset();
  if (!chosen) {
    TRY_ASSIGN(api::DeliveryOffer offer, choose(manifest.tree));
    if (life.delivery) TRY(around_.transport.forget(life.delivery->root, true));
    TRY(ledger_.change([&offer](Life& edit) { edit.delivery = offer; }));
    life = ledger_.life();
  }
  const api::DeliveryOffer& offer = *life.delivery;
  TRY(check_space(manifest, offer.length));
  TRY(around_.disk.make_dirs(settings_.state / "deliveries"));
  TRY_ASSIGN(auto leaves, from_anybody([&](GatewayLink& link) {
               return obtain_leaves(around_.disk, link, delivery_file(offer.root), offer.root,
                                    offer.length);
             }));
  TRY(around_.transport.fetch({offer.root, offer.length, delivery_file(offer.root)}, leaves));
  auto arrived = around_.transport.wait(offer.root, std::move(stop));
  if (!arrived.ok() && arrived.error().code == Code::kTimeout) stalled_ = offer.root;
  return arrived;
}

// Whether the tree needs no building: it stands here, and reading it back says so. The running tree
// is no exception.
Result<bool> Steps::stands_whole(const TreeId& tree, std::stop_token stop) {
  TRY_ASSIGN(bool there, around_.slots.has(tree));
  if (!there) return false;
  auto whole = read_back(tree, std::move(stop));
  if (whole.ok()) return true;
  if (whole.error().code != Code::kMismatch) return whole.error();
  log(Level::kWarning, "a slot is damaged and made anew",
      {{"tree", tree.hex()}, {"why", whole.error().describe()}});
  return false;
}

// The same step again in a while, as long as its directive is in its time.
Outcome Steps::wait_for(const Error& error, const trust::Directive& directive) const {
  if (error.code == Code::kCancelled) return {};
  if (now() < directive.expires) return {std::nullopt, error, settings_.patience.retry};
  return Outcome::failed(Event::kStepFailed,
                         {Code::kExpired, "directive " + std::to_string(directive.sequence) +
                                              " ended at " + format_utc(directive.expires) +
                                              " and still waited: " + error.describe()});
}

Outcome Steps::fetch(const trust::Directive& directive, std::stop_token stop) {
  bool final = false;
  auto work = [&]() -> Result<void> {
    if (!stored_manifest(around_.disk, settings_.state, directive.manifest).ok()) {
      refresh_from_peers();
    }
    TRY_ASSIGN(Manifest manifest, from_anybody([&](GatewayLink& link) {
                 return fetch_manifest(around_.disk, settings_.state, link, directive, now());
               }));
    BundleRef target{directive.bundle, manifest.version, directive.manifest, manifest.tree,
                     manifest.release};
    TRY(ledger_.change([&target](Life& life) { life.target = target; }));
    final = true;  // what the manifest itself forbids, no retry mends
    TRY(accept(manifest));
    final = false;
    TRY(tidy(true));
    TRY(from_anybody([&](GatewayLink& link) {
      return fetch_listing(around_.disk, settings_.state, link, manifest, now());
    }));
    TRY_ASSIGN(bool whole, stands_whole(manifest.tree, stop));
    if (whole) return ok();
    return obtain(manifest, stop);
  };
  auto done = work();
  if (done.ok()) return {Event::kFetched, std::nullopt, {}};
  if (!final && worth_retrying(done.error().code)) return wait_for(done.error(), directive);
  return Outcome::failed(Event::kStepFailed, done.error());
}

// ---- staging -----------------------------------------------------------------------------------

// Makes the tree in `out`. `waits` is set when what failed is getting another delivery.
Result<void> Steps::build(const Manifest& manifest, const Path& out, bool& waits,
                          std::stop_token stop) {
  TRY_ASSIGN(auto target, stored_listing(around_.disk, settings_.state, manifest.tree));
  for (;;) {
    Life life = ledger_.life();
    bool usable = life.delivery && life.delivery->target == manifest.tree &&
                  refused_.count(life.delivery->root) == 0;
    if (!usable) {
      waits = true;
      TRY(obtain(manifest, stop));
      waits = false;
      life = ledger_.life();
    }
    TRY_ASSIGN(auto base, stored_listing(around_.disk, settings_.state, life.delivery->base));
    delta::ApplyOptions options;
    options.threads = kThreads;
    options.max_memory_bytes = settings_.apply_memory_bytes;
    options.read_only = true;
    auto applied = delta::apply_delivery(around_.disk, delivery_file(life.delivery->root), base,
                                         around_.slots.dir(life.delivery->base), target, out,
                                         options, {}, stop);
    if (applied.ok()) return ok();
    Code code = applied.error().code;
    bool lies = code == Code::kTooLarge || code == Code::kMismatch || code == Code::kMalformed ||
                code == Code::kUnsupported || code == Code::kNotFound;
    // A delivery that anybody may have made, or one whose base is damaged here: it wasted time, and
    // another one is asked for.
    if (!lies) return applied.error();
    log(Level::kWarning, "delivery refused",
        {{"root", life.delivery->root.hex()}, {"why", applied.error().describe()}});
    refused_.insert(life.delivery->root);
    TRY(around_.disk.remove_tree(delta::partial_path(out)));
    if (refused_.size() >= kDeliveryAttempts) return applied.error();
  }
}

Outcome Steps::stage(const trust::Directive& directive, std::stop_token stop) {
  bool waits = false;
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(Manifest manifest,
               stored_manifest(around_.disk, settings_.state, life.target->manifest));
    TRY_ASSIGN(bool whole, stands_whole(manifest.tree, stop));
    if (whole) return ok();
    TRY_ASSIGN(bool there, around_.slots.has(manifest.tree));
    if (!there) return build(manifest, around_.slots.dir(manifest.tree), waits, stop);
    // Beside the damaged one, which perhaps runs: it leaves only when the other is whole.
    const Path fresh = around_.slots.rebuild_dir(manifest.tree);
    TRY(around_.disk.remove_tree(fresh));
    TRY(build(manifest, fresh, waits, stop));
    return around_.slots.adopt_rebuilt(manifest.tree);
  };
  auto done = work();
  if (done.ok()) return {Event::kStaged, std::nullopt, {}};
  if (waits && worth_retrying(done.error().code) && done.error().code != Code::kMismatch) {
    return wait_for(done.error(), directive);
  }
  return Outcome::failed(Event::kStepFailed, done.error());
}

}  // namespace lineside::node
