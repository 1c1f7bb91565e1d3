// SPDX-License-Identifier: Apache-2.0
// The part of Supply that frees the disk of what the site needs no more.
#include <fmt/format.h>

#include "proto/base/log.h"
#include "seeder/supply.h"

namespace lineside::seeder {

// What stays: trees that nodes report, those of the bundles rolled out last, and what is carried or
// may be resumed. nullopt if that cannot be told: nothing is removed by guess.
std::optional<BundleStore::Kept> Supply::kept() const {
  Result<std::vector<std::string>> recent = site_.recent_bundles(options_.keep_bundles);
  Result<std::vector<std::string>> imported = counters_.imports(options_.keep_bundles);
  if (!recent.ok() || !imported.ok()) return std::nullopt;
  recent->insert(recent->end(), imported->begin(), imported->end());
  std::vector<Digest> floor = site_.floor_trees();
  BundleStore::Kept keep;
  keep.trees.insert(floor.begin(), floor.end());
  std::lock_guard lock(mutex_);
  if (catalogue_->empty()) return std::nullopt;
  keep.deliveries = seeded_;
  auto add = [&keep](const trust::Manifest& manifest) {
    keep.trees.insert(manifest.tree);
    for (const trust::Delivery& delivery : manifest.deliveries) {
      keep.deliveries.insert(delivery.root);
    }
  };
  if (current_) add(*current_);
  for (const std::string& name : *recent) {
    auto bundle = catalogue_->find(name);
    if (bundle != catalogue_->end() && bundle->second.manifest) add(*bundle->second.manifest);
  }
  return keep;
}

// What a silent device holds may be the base that it is to be updated from.
void Supply::uncollected(const Error& why) {
  if (why.code != Code::kNotFound || why.what == uncollected_) return;
  uncollected_ = why.what;
  site_.note("collect", why.what +
                            ": nothing is removed from the store until it does, or is "
                            "revoked");
}

// A tree on the way to the present one may be needed to go on.
bool Supply::is_fetching() const {
  std::optional<trust::VerifiedDirective> directive = site_.to_supply();
  std::lock_guard lock(mutex_);
  return directive && directive->directive.sequence != supplied_sequence_;
}

// At the start, when a rollout has ended, and once in a while; never while a tree is brought in.
void Supply::collect_when_due() {
  std::int64_t ended = site_.ended_rollout();
  bool due = !collected_ || ended > collected_after_ ||
             clock_.steady() >= *collected_ + options_.collect_every;
  std::unique_lock building(building_, std::try_to_lock);
  if (!due || !building.owns_lock() || is_fetching()) return;
  if (Result<void> known = site_.floor_is_known(); !known.ok()) return uncollected(known.error());
  std::optional<BundleStore::Kept> keep = kept();
  if (!keep) return;
  collected_ = clock_.steady();
  collected_after_ = ended;
  Result<BundleStore::Collected> gone = bundles_.collect(*keep);
  if (!gone.ok()) {
    log(Level::kWarning, "store not collected", {{"error", gone.error().describe()}});
    return;
  }
  if (*gone == BundleStore::Collected{}) return;
  std::string text =
      fmt::format("freed {} bytes: {} trees, {} deliveries, {} half-fetched ones, {} files",
                  gone->bytes, gone->trees, gone->deliveries, gone->partial, gone->objects);
  log(Level::kNotice, "store collected", {{"what", text}});
  site_.note("collect", text);
}

}  // namespace lineside::seeder
