// SPDX-License-Identifier: Apache-2.0
// The vendor's repository at the site: verified by the gateway, served to nodes byte for byte.
//
//     DIR/trust/      what the gateway itself trusts (trust::Updater)
//     DIR/metadata/   N.root.json, N.snapshot.json, N.targets.json, timestamp.json: for others
//     DIR/targets/    NAME/HASH.VERSION.json and .listing
//
// Every byte from the origin is counted for the release that it serves, failed attempts included,
// and the count survives a restart, even one without warning. With a budget, nothing is fetched for
// a release that would exceed it and what operators allowed beside it: kBudget, with the bytes that
// are missing. The regular refreshes serve none (""): counted, never refused. One thread, except
// cheapest() and catalogue().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/trust/manifest.h"
#include "proto/trust/tuf/updater.h"
#include "seeder/bundle_store.h"
#include "seeder/catalogue.h"
#include "seeder/origin.h"
#include "seeder/rollout_store.h"
#include "seeder/route_search.h"

namespace lineside::seeder {

struct MirrorOptions {
  std::uint64_t budget = 0;                // bytes a release, payload and metadata; 0: none
  std::uint64_t max_bytes_per_second = 0;  // 0: no limit
};

// A manifest that the vendor's chain vouches for, with its listing.
struct MirroredBundle {
  std::string name;  // TUF target
  Digest manifest_digest;
  trust::Manifest manifest;
  Bytes listing;
};

class Mirror {
 public:
  // All references outlive it.
  Mirror(Disk& disk, Path dir, BundleStore& bundles, RolloutStore& counters, Origin& origin,
         Clock& clock, MirrorOptions options);
  // The same repository and counters, fed from another origin, e.g. a stick: it outlives the
  // answer.
  [[nodiscard]] Mirror fed_from(Origin& origin) const;
  // `vendor_root`: from commissioning, trusted only if nothing is yet. Reads what is here already.
  Result<void> prepare(BytesView vendor_root);

  // Asks the origin. Codes of Updater::refresh, kBudget. What was mirrored stays whatever happens.
  // `release` is charged.
  Result<void> refresh(const std::string& release, std::stop_token stop);

  // What the vendor lists and what of it is here, as of the last good refresh. Asks nobody.
  [[nodiscard]] Catalogue catalogue() const;
  // Manifest and listing, from here or from the origin. kNotFound if the vendor does not list it.
  Result<MirroredBundle> bundle(const std::string& name, std::stop_token stop);

  // The cheapest signed way from what the store holds, by what is mirrored: no origin is asked.
  // nullopt if there is none; not meaningful if the tree is held.
  [[nodiscard]] std::optional<SignedRoute> cheapest(const trust::Manifest& manifest) const;
  // Told of a tree that was found damaged in the store.
  void on_damage(std::function<void(const std::string&)> tell) { tell_ = std::move(tell); }
  // Brings the bundle's tree into the store by the cheapest signed way, trees in between included;
  // what their manifests cost is charged to the bundle, too. If that fails because its base is
  // damaged in the store, or the delivery is, that is forgotten and the next way taken. kNotFound
  // without one;
  // kBudget, before anything of the way is fetched; kMismatch if what came is not what was signed
  // (it is removed); codes of Origin and Disk.
  using Progress = std::function<void(std::uint64_t have, std::uint64_t total)>;
  Result<void> supply(const MirroredBundle& bundle, const Progress& progress, std::stop_token stop);
  // kBudget, as supply() would say; what the cheapest way is, otherwise. Fetches no delivery.
  Result<SignedRoute> find_route(const MirroredBundle& bundle, std::stop_token stop);

  [[nodiscard]] bool crosses_wan() const { return origin_.crosses_wan(); }
  [[nodiscard]] Path metadata_dir() const { return dir_ / "metadata"; }
  [[nodiscard]] Path targets_dir() const { return dir_ / "targets"; }

  // Compares a held tree with its signed listing: a damaged one is held no more, which is told
  // (on_damage). True if it was.
  Result<bool> forget_if_damaged(const Digest& tree, std::stop_token stop);

 private:
  class Source;
  class Atlas;
  Result<Bytes> target(trust::Updater& updater, const std::string& name, Source& source);
  Result<MirroredBundle> bundle_for(const std::string& release, const std::string& name,
                                    std::stop_token stop);
  [[nodiscard]] Path part_path(const Digest& root) const;
  [[nodiscard]] bool is_held(const trust::Delivery& delivery) const;
  [[nodiscard]] std::uint64_t remaining(const trust::Delivery& delivery) const;
  Result<void> fetch_delivery(const trust::Delivery& delivery, const std::string& release,
                              const std::function<void(std::uint64_t)>& progress,
                              std::stop_token stop);
  Result<void> fetch_route(const SignedRoute& route, const std::string& release,
                           const Progress& progress, const std::stop_token& stop);
  Result<void> apply_step(const trust::Delivery& delivery, const MirroredBundle& bundle,
                          std::stop_token stop);
  Result<void> apply(const trust::Delivery& delivery, const MirroredBundle& bundle,
                     std::stop_token stop);
  [[nodiscard]] std::string damage_of(const Digest& tree, std::stop_token stop) const;
  Result<bool> forget_if_damaged(const trust::Delivery& delivery);
  Result<std::uint64_t> budget_left(const std::string& release) const;
  Result<void> check_budget(const std::string& release, std::uint64_t more) const;

  Disk& disk_;
  Path dir_;
  BundleStore& bundles_;
  RolloutStore& counters_;
  Origin& origin_;
  Clock& clock_;
  MirrorOptions options_;
  std::function<void(const std::string&)> tell_;
};

}  // namespace lineside::seeder
