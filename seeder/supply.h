// SPDX-License-Identifier: Apache-2.0
// From a directive to deliveries that nodes can fetch. Two threads:
//
//     fetcher   origin ─▶ mirror ─▶ target tree in the store      retries with growing pauses
//     maker     tree × bases on the floor ─▶ deliveries ─▶ swarm  low priority; collects
//
// What the vendor made is seeded by the fetcher at once, however busy the maker is. A new directive
// ends what fetcher and maker do for an older one, an aborted rollout what is fetched for it.
//
// The fetcher alone talks to the origin. Questions to the origin go before a download, which is
// interrupted for them and resumed; whoever asks waits SupplyOptions::longest_answer at most and is
// then told what the gateway holds, and since when.
//
// No failure here is fatal: it is shown in row() or origin(), recorded as an event, and tried
// again. Public functions: any thread. Time is the Clock's; wake() makes the fetcher look at it.
#pragma once

#include <condition_variable>
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
#include "seeder/origin_queue.h"
#include "seeder/site.h"
#include "seeder/wan_window.h"

namespace lineside::seeder {

struct SupplyOptions {
  std::chrono::seconds refresh_every{600};
  std::chrono::milliseconds first_retry{2000};
  std::chrono::milliseconds longest_retry{300'000};
  unsigned threads = 2;      // of the maker
  int effort = 2;            // delta::MakeOptions::effort
  std::uint64_t budget = 0;  // for plans; the mirror enforces it
  WanWindow window;          // when deliveries may cross the WAN
  std::chrono::milliseconds longest_answer{1000};
  // How long a node is asked to wait for a smaller delivery that is still to be made.
  std::chrono::seconds patience{600};
  std::size_t keep_bundles = 3;  // of those rolled out last, for going back without the WAN
  std::chrono::seconds collect_every{86400};
  // Called on the supply's threads after whatever may have changed row(), origin() or what is held;
  // must not block nor end the supply.
  std::function<void()> on_change;
};

class Supply {
 public:
  // All references outlive it. `swarm` may be null: then nothing is seeded.
  Supply(Disk& disk, Mirror& mirror, BundleStore& bundles, RolloutStore& counters, Site& site,
         swarm::Swarm* swarm, Clock& clock, SupplyOptions options);
  ~Supply();  // stops both threads; a fetch goes on where it was at the next start
  void start();
  // Something changed: a directive, a rollout's end, a report with a new base, the time.
  void wake();

  [[nodiscard]] SupplyRow row() const;
  [[nodiscard]] OriginRow origin() const;
  // For a node that holds the trees `held`. kNotFound: that base cannot be served. kTimeout: it, or
  // one from another tree that the node holds, is being made; ask again soon.
  Result<api::DeliveryOffer> offer(const Digest& base, const Digest& target,
                                   const std::vector<Digest>& held) const;
  // What a rollout of `bundle` would move, by what is held; the origin is asked, too. If nothing is
  // held of it: kTimeout as long as the origin does not answer, kNotFound if the vendor does not
  // list it, and codes of Mirror.
  Result<PlanView> plan(const std::string& bundle);
  // Asks the origin now. kTimeout if it takes longer; it goes on nevertheless.
  Result<void> refresh();
  // Brings `bundle`, or the newest release of every bundle if that is empty, into the store from a
  // folder on this machine (a stick), which is believed no more than any origin. kTimeout if it
  // takes longer; it goes on nevertheless, and asking again waits for the same. kConflict in the
  // end if a named bundle cannot be had from there; codes of Mirror.
  Result<void> import(const Path& folder, const std::string& bundle);
  // Bytes that an operator lets across for a release beside its budget.
  Result<void> allow(const std::string& bundle, std::uint64_t bytes, const std::string& actor);
  // What the vendor lists, by what is held.
  [[nodiscard]] std::vector<BundleRow> bundles() const;

 private:
  void run_fetcher(std::stop_token stop);
  void run_maker(std::stop_token stop);
  Result<void> ask_origin(const std::string& bundle, bool known);
  Result<void> consult(const std::string& bundle, std::stop_token stop);
  Result<void> update(const std::string& release, std::stop_token stop);
  void tell(const std::string& concerns, const Result<void>& result);
  void learn();
  [[nodiscard]] std::optional<KnownBundle> known(const std::string& bundle) const;
  Result<void> fetch_directive(const trust::VerifiedDirective& directive, std::stop_token stop);
  Result<void> bring(const MirroredBundle& bundle, std::stop_token stop);
  Result<void> check_window() const;
  Result<void> import_now(const Path& folder, const std::string& bundle, std::stop_token stop);
  Result<bool> import_bundle(Mirror& stick, const std::string& name, std::stop_token stop);
  [[nodiscard]] std::vector<std::string> newest_releases() const;
  void try_again_now();
  Result<MirroredBundle> find_bundle(const trust::VerifiedDirective& directive,
                                     std::stop_token stop);
  void fetch_step(std::stop_token stop);
  void regular_refresh(const std::stop_token& stop);
  void answer_questions(const std::stop_token& stop);
  bool until_directive(const std::stop_token& stop,
                       const std::function<void(std::stop_token)>& work);
  void rest();
  void failed(const Error& error);
  Result<PlanView> make_plan(const std::string& bundle, const trust::Manifest& manifest);
  [[nodiscard]] std::vector<PlanRoute> plan_routes(const trust::Manifest& manifest) const;

  struct Pair {
    Digest base;
    Digest target;
    auto operator<=>(const Pair&) const = default;
  };
  std::vector<Pair> wanted() const;
  [[nodiscard]] bool awaited(const Pair& pair) const;
  Result<void> make(const Pair& pair, std::stop_token stop);
  Result<void> make_in(const Path& out, const Pair& pair, std::stop_token stop);
  void all_made();
  void not_made(const Pair& pair, const Error& error);
  bool mend(const Pair& pair, const std::stop_token& stop);
  void seed_all();
  Result<void> seed(const trust::Delivery& delivery);

  void collect_when_due();
  [[nodiscard]] bool is_fetching() const;
  void uncollected(const Error& why);
  [[nodiscard]] std::optional<BundleStore::Kept> kept() const;

  void show(std::string state, std::string text);
  void changed() const;

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
  OriginQueue questions_;
  std::shared_ptr<const Catalogue> catalogue_ = std::make_shared<Catalogue>();
  SupplyRow row_;
  SteadyTime next_refresh_{};  // fetcher's thread alone
  std::chrono::milliseconds refresh_pause_{0};
  std::optional<SteadyTime> retry_;
  std::chrono::milliseconds pause_{0};
  std::string failure_;                     // the last one
  std::int64_t retry_sequence_ = 0;         // whose failures these four are about
  std::optional<trust::Manifest> current_;  // of the present directive, tree in the store
  std::int64_t supplied_sequence_ = 0;
  SteadyTime supplied_at_{};
  bool roll_back_ = false;  // make deliveries backwards, too
  std::set<Digest> seeded_;
  struct NotMade {
    std::string why;
    std::optional<SteadyTime> again;  // when to try again, if that can help
  };
  std::map<Pair, NotMade> not_made_;
  std::stop_source fetching_;           // of what the origin is asked for, for
  std::int64_t fetching_sequence_ = 0;  // this directive; 0: nothing
  std::stop_source refreshing_;         // of questions and regular refreshes
  std::stop_source making_;             // of the delivery in the making, if any
  std::mutex seeding_;                  // both threads give deliveries to the swarm
  std::mutex building_;  // held while the fetcher brings a tree in, so that nothing is collected
  std::optional<SteadyTime> collected_;  // maker's thread alone, like the next
  std::int64_t collected_after_ = 0;     // the ended rollout after which it was
  std::string uncollected_;              // why nothing was removed, as people were told last
  std::jthread fetcher_;
  std::jthread maker_;
};

}  // namespace lineside::seeder
