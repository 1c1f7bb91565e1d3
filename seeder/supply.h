// SPDX-License-Identifier: Apache-2.0
// From a directive to deliveries that nodes can fetch. Two threads:
//
//     fetcher   origin ─▶ mirror ─▶ target tree in the store      retries with growing pauses
//     maker     tree × bases on the floor ─▶ deliveries ─▶ swarm  low priority
//
// What the vendor made is seeded by the fetcher at once, however busy the maker is, and a new
// directive ends what fetcher and maker do for an older one.
//
// No failure here is fatal: it is shown in row(), recorded as an event, and tried again.
// Public functions: any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proto/swarm/swarm.h"
#include "seeder/bundle_store.h"
#include "seeder/mirror.h"
#include "seeder/operator_api.h"
#include "seeder/site.h"

namespace lineside::seeder {

struct SupplyOptions {
  std::chrono::seconds refresh_every{600};
  std::chrono::milliseconds first_retry{2000};
  std::chrono::milliseconds longest_retry{300'000};
  unsigned threads = 2;      // of the maker
  int effort = 2;            // delta::MakeOptions::effort
  std::uint64_t budget = 0;  // for plans; the mirror enforces it
};

class Supply {
 public:
  // All references outlive it. `swarm` may be null: then nothing is seeded.
  Supply(Disk& disk, Mirror& mirror, BundleStore& bundles, RolloutStore& counters, Site& site,
         swarm::Swarm* swarm, Clock& clock, SupplyOptions options);
  ~Supply();  // stops both threads; a fetch goes on where it was at the next start
  void start();
  // Something changed: a directive, a report with a new base.
  void wake();

  [[nodiscard]] SupplyRow row() const;
  // kNotFound: that base cannot be served. kTimeout: being made, ask again soon.
  Result<api::DeliveryOffer> offer(const Digest& base, const Digest& target) const;
  // What a rollout of `bundle` would move. Asks the origin if need be; waits up to a minute for the
  // fetcher (kTimeout).
  Result<PlanView> plan(const std::string& bundle);
  // Asks the origin now; waits likewise.
  Result<void> refresh();
  // What the vendor lists.
  Result<std::vector<BundleRow>> bundles();

 private:
  struct Job {
    std::function<void()> run;
  };
  Result<void> on_fetcher(std::function<void()> work);
  void run_fetcher(std::stop_token stop);
  void run_maker(std::stop_token stop);
  Result<void> fetch_directive(const trust::VerifiedDirective& directive, std::stop_token stop);
  Result<MirroredBundle> find_bundle(const trust::VerifiedDirective& directive,
                                     std::stop_token stop);
  void fetch_step(std::stop_token stop);
  std::chrono::milliseconds regular_refresh(std::stop_token stop);
  void failed(const Error& error);
  Result<PlanView> make_plan(const std::string& bundle);

  struct Pair {
    Digest base;
    Digest target;
    auto operator<=>(const Pair&) const = default;
  };
  std::vector<Pair> wanted() const;
  Result<void> make(const Pair& pair, std::stop_token stop);
  void seed_all();
  Result<void> seed(const trust::Delivery& delivery);

  void show(std::string state, std::string text);

  Disk& disk_;
  Mirror& mirror_;
  BundleStore& bundles_;
  RolloutStore& counters_;
  Site& site_;
  swarm::Swarm* swarm_;
  Clock& clock_;
  SupplyOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable_any fetcher_wakes_;
  std::condition_variable_any maker_wakes_;
  bool fetcher_asked_ = false;
  bool maker_asked_ = false;
  std::deque<std::function<void()>> jobs_;
  SupplyRow row_;
  std::optional<std::chrono::steady_clock::time_point> retry_;
  std::chrono::milliseconds pause_{0};
  std::optional<trust::Manifest> current_;  // of the present directive, tree in the store
  std::int64_t supplied_sequence_ = 0;
  bool roll_back_ = false;  // make deliveries backwards, too
  std::set<Digest> seeded_;
  std::map<Pair, std::string> unmakeable_;  // and why
  std::stop_source fetching_;               // of what the origin is asked for, for
  std::int64_t fetching_sequence_ = 0;      // this directive
  std::stop_source making_;                 // of the delivery in the making, if any
  std::mutex seeding_;                      // both threads give deliveries to the swarm
  std::jthread fetcher_;
  std::jthread maker_;
};

}  // namespace lineside::seeder
