// SPDX-License-Identifier: Apache-2.0
// The part of Supply that makes deliveries and gives them to the swarm.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "delta/make_delivery.h"
#include "proto/base/log.h"
#include "seeder/supply.h"

namespace lineside::seeder {
namespace {

constexpr std::chrono::seconds kIdle{2};
constexpr int kNice = 10;
constexpr std::chrono::seconds kTryAgain{60};

// Linux gives each thread a priority of its own: the API and the swarm go first.
void lower_priority() {
  auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  (void)::setpriority(PRIO_PROCESS, thread, kNice);
}

}  // namespace

void Supply::run_maker(std::stop_token stop) {
  lower_priority();
  while (!stop.stop_requested()) {
    seed_all();
    std::vector<Pair> pairs = wanted();
    if (!pairs.empty()) {
      Result<void> made = make(pairs.front(), stop);
      bool rotten = !made.ok() && made.error().code == Code::kMismatch;
      bool mended = rotten && mend(pairs.front(), stop);
      if (!made.ok() && made.error().code != Code::kCancelled && !mended) {
        not_made(pairs.front(), made.error());
      }
      changed();
      continue;
    }
    collect_when_due();
    all_made();
    std::unique_lock lock(mutex_);
    maker_wakes_.wait_for(lock, stop, kIdle, [&] { return maker_asked_; });
    maker_asked_ = false;
  }
}

void Supply::all_made() {
  {
    std::lock_guard lock(mutex_);
    if (row_.state == "making") row_.state = "ready";
    if (row_.state == "ready") row_.text = "every base on the floor is served";
  }
  changed();
}

// A tree that rotted in the store serves no more, neither as base nor as target. The present one is
// built anew, from what came over the WAN already if that is held still. True if one was damaged.
bool Supply::mend(const Pair& pair, const std::stop_token& stop) {
  std::lock_guard building(building_);
  bool mended = false;
  for (const Digest& tree : {pair.base, pair.target}) {
    Result<bool> forgotten = mirror_.forget_if_damaged(tree, stop);
    if (!forgotten.ok() || !*forgotten) continue;
    mended = true;
    std::lock_guard lock(mutex_);
    if (!current_ || current_->tree != tree) continue;
    supplied_sequence_ = 0;
    fetcher_asked_ = true;
    fetcher_wakes_.notify_all();
  }
  return mended;
}

// A full or failing disk may be mended; what the trees themselves forbid is not.
void Supply::not_made(const Pair& pair, const Error& error) {
  std::string why = error.describe();
  log(Level::kWarning, "delivery not made", {{"error", why}});
  bool passes = error.code == Code::kNoSpace || error.code == Code::kIo;
  bool is_new = false;
  {
    std::lock_guard lock(mutex_);
    NotMade& entry = not_made_[pair];
    is_new = entry.why != why;
    entry.why = why;
    entry.again.reset();
    if (passes) entry.again = clock_.steady() + kTryAgain;
  }
  if (is_new) site_.note("synthesis", why + (passes ? "; it will be tried again" : ""));
}

// What is still to be made, the likeliest first: bases on the floor, then from nothing, then back.
std::vector<Supply::Pair> Supply::wanted() const {
  std::vector<Digest> floor = site_.floor_trees();
  std::lock_guard lock(mutex_);
  std::vector<Pair> pairs;
  if (!current_) return pairs;
  auto want = [&](const Digest& base, const Digest& target) {
    Pair pair{base, target};
    auto failed = not_made_.find(pair);
    bool not_now = failed != not_made_.end() &&
                   (!failed->second.again || clock_.steady() < *failed->second.again);
    if (base == target || not_now) return;
    if (!bundles_.has_tree(base) || !bundles_.has_tree(target)) return;
    if (!bundles_.route(base, target)) pairs.push_back(pair);
  };
  for (const Digest& base : floor) want(base, current_->tree);
  want(empty_tree(), current_->tree);
  if (roll_back_) {
    for (const Digest& base : floor) {
      if (base != empty_tree()) want(current_->tree, base);
    }
  }
  return pairs;
}

Result<void> Supply::make(const Pair& pair, std::stop_token stop) {
  std::string name = pair.base.hex().substr(0, 12) + "-" + pair.target.hex().substr(0, 12);
  std::stop_source making;
  std::stop_callback end_with_us(stop, [&making] { making.request_stop(); });
  {
    std::lock_guard lock(mutex_);
    if (!current_ || (current_->tree != pair.target && current_->tree != pair.base)) return ok();
    making_ = making;
    if (row_.state == "ready") row_.state = "making";
    if (row_.state == "making") row_.text = "delivery " + name;
  }
  Path out = bundles_.staging(name + ".delivery");
  TRY(disk_.remove(out));
  Result<void> made = make_in(out, pair, making.get_token());
  if (!made.ok()) {
    (void)disk_.remove(out).ok();  // the first error is the one that matters
    return made.error().with("delivery " + name);
  }
  return ok();
}

Result<void> Supply::make_in(const Path& out, const Pair& pair, std::stop_token stop) {
  std::optional<delta::TreeOnDisk> base;
  if (pair.base != empty_tree()) {
    TRY_ASSIGN(trust::Listing listing, bundles_.listing(pair.base));
    base = delta::TreeOnDisk{bundles_.tree_dir(pair.base), std::move(listing)};
  }
  TRY_ASSIGN(trust::Listing listing, bundles_.listing(pair.target));
  delta::TreeOnDisk target{bundles_.tree_dir(pair.target), std::move(listing)};
  delta::MakeOptions options;
  options.threads = options_.threads;
  options.effort = options_.effort;
  // These bytes cross the LAN only. LZMA would save a tenth of them and cost the floor minutes:
  // 90 s instead of 5 s for a full delivery of 157 MB on two cores.
  options.lzma = false;
  TRY_ASSIGN(delta::DeliverySummary made,
             delta::make_delivery(options, disk_, base, target, out, {}, std::move(stop)));
  trust::Delivery delivery{pair.base, pair.target, made.length, made.root};
  TRY(bundles_.adopt_delivery(out, delivery));
  site_.note("synthesis", fmt::format("delivery {}-{}: {} bytes", pair.base.hex().substr(0, 12),
                                      pair.target.hex().substr(0, 12), made.length));
  return ok();
}

// Carries every delivery to the present tree, and none to an older one.
void Supply::seed_all() {
  if (swarm_ == nullptr) return;
  std::lock_guard one_at_a_time(seeding_);
  std::optional<trust::Manifest> current;
  std::set<Digest> carried;
  {
    std::lock_guard lock(mutex_);
    current = current_;
    carried = seeded_;
  }
  if (!current) return;
  std::vector<Digest> bases = site_.floor_trees();
  bases.push_back(empty_tree());
  for (const trust::Delivery& delivery : current->deliveries) bases.push_back(delivery.base);
  std::set<Digest> present;
  for (const Digest& base : bases) {
    std::optional<trust::Delivery> delivery = bundles_.route(base, current->tree);
    if (!delivery) continue;
    present.insert(delivery->root);
    if (carried.contains(delivery->root)) continue;
    if (Result<void> done = seed(*delivery); !done.ok()) {
      log(Level::kWarning, "delivery not seeded", {{"error", done.error().describe()}});
    }
  }
  for (const Digest& root : carried) {
    if (present.contains(root)) continue;
    (void)swarm_->remove(root, false).ok();
    std::lock_guard lock(mutex_);
    seeded_.erase(root);
  }
}

Result<void> Supply::seed(const trust::Delivery& delivery) {
  TRY_ASSIGN(std::vector<Digest> leaves, bundles_.leaves(delivery.root));
  Result<void> seeds = swarm_->seed({delivery.root, delivery.length},
                                    bundles_.delivery_path(delivery.root), std::move(leaves));
  if (!seeds.ok() && seeds.error().code != Code::kExists) return seeds;
  std::lock_guard lock(mutex_);
  seeded_.insert(delivery.root);
  return ok();
}

// Whether this delivery can be had soon: it is queued, in the making, or on its way to the swarm.
// Called with mutex_ held.
bool Supply::awaited(const Pair& pair) const {
  if (pair.base == pair.target || not_made_.contains(pair)) return false;
  std::optional<trust::Delivery> delivery = bundles_.route(pair.base, pair.target);
  if (delivery) return swarm_ != nullptr && !seeded_.contains(delivery->root);
  return bundles_.has_tree(pair.base);
}

Result<api::DeliveryOffer> Supply::offer(const Digest& base, const Digest& target,
                                         const std::vector<Digest>& held) const {
  std::lock_guard lock(mutex_);
  if (!current_ || current_->tree != target) {
    return Error{Code::kNotFound, "tree " + target.hex() + " is not what this site rolls out"};
  }
  if (clock_.steady() < supplied_at_ + options_.patience) {
    for (const Digest& tree : held) {
      if (tree == base || !awaited({tree, target})) continue;
      return Error{Code::kTimeout, "a smaller delivery, from tree " + tree.hex().substr(0, 12) +
                                       " that the node holds, is being made"};
    }
  }
  if (auto found = not_made_.find({base, target}); found != not_made_.end()) {
    return Error{Code::kNotFound, found->second.why};
  }
  if (!bundles_.has_tree(base)) {
    bool signed_one = std::any_of(current_->deliveries.begin(), current_->deliveries.end(),
                                  [&](const auto& delivery) { return delivery.base == base; });
    if (!signed_one || !bundles_.route(base, target)) {
      return Error{Code::kNotFound, "the gateway does not hold tree " + base.hex()};
    }
  }
  std::optional<trust::Delivery> delivery = bundles_.route(base, target);
  if (!delivery || (swarm_ != nullptr && !seeded_.contains(delivery->root))) {
    return Error{Code::kTimeout, "the delivery is being made"};
  }
  return api::DeliveryOffer{base, target, delivery->length, delivery->root};
}

}  // namespace lineside::seeder
