// SPDX-License-Identifier: Apache-2.0
#include "seeder/supply.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/base/log.h"

namespace lineside::seeder {
namespace {

// How long a download may put off the regular refresh.
constexpr std::chrono::hours kLongDownload{1};

constexpr std::chrono::seconds kPulse{1};

}  // namespace

Supply::Supply(Disk& disk, Mirror& mirror, BundleStore& bundles, RolloutStore& counters, Site& site,
               swarm::Swarm* swarm, Clock& clock, SupplyOptions options)
    : disk_(disk),
      mirror_(mirror),
      bundles_(bundles),
      counters_(counters),
      site_(site),
      swarm_(swarm),
      clock_(clock),
      options_(std::move(options)) {
  row_.state = "idle";
  mirror_.on_damage([this](const std::string& text) { site_.note("store", text); });
}

Supply::~Supply() {
  // Both at once: the second does not go on until the first has ended.
  fetcher_.request_stop();
  maker_.request_stop();
}

void Supply::start() {
  learn();
  fetcher_ = std::jthread([this](std::stop_token stop) { run_fetcher(std::move(stop)); });
  maker_ = std::jthread([this](std::stop_token stop) { run_maker(std::move(stop)); });
}

void Supply::wake() {
  std::optional<trust::VerifiedDirective> wanted = site_.to_supply();
  std::int64_t sequence = wanted ? wanted->directive.sequence : 0;
  std::lock_guard lock(mutex_);
  // The WAN is too dear for what nobody is to run any more.
  if (fetching_sequence_ != 0 && fetching_sequence_ != sequence) fetching_.request_stop();
  // A new directive waits for no refresh: its bundle may be here already.
  bool is_new = sequence != 0 && sequence != supplied_sequence_ && sequence != retry_sequence_;
  if (is_new) refreshing_.request_stop();
  fetcher_asked_ = maker_asked_ = true;
  fetcher_wakes_.notify_all();
  maker_wakes_.notify_all();
}

SupplyRow Supply::row() const {
  std::lock_guard lock(mutex_);
  return row_;
}

OriginRow Supply::origin() const {
  return questions_.row();
}

void Supply::show(std::string state, std::string text) {
  {
    std::lock_guard lock(mutex_);
    row_.state = std::move(state);
    row_.text = std::move(text);
    row_.done = row_.total = 0;
    row_.retry_at.reset();
  }
  changed();
}

// Never with a lock held: whoever listens may ask.
void Supply::changed() const {
  if (options_.on_change) options_.on_change();
}

void Supply::run_fetcher(std::stop_token stop) {
  next_refresh_ = clock_.steady();
  while (!stop.stop_requested()) {
    if (clock_.steady() >= next_refresh_) regular_refresh(stop);
    answer_questions(stop);
    fetch_step(stop);
    changed();
    std::unique_lock lock(mutex_);
    fetcher_wakes_.wait_for(lock, stop, kPulse, [&] { return fetcher_asked_; });
    fetcher_asked_ = false;
  }
}

// Runs `work` with a token that a new directive stops, too. True if one did.
bool Supply::until_directive(const std::stop_token& stop,
                             const std::function<void(std::stop_token)>& work) {
  std::stop_source refreshing;
  {
    std::lock_guard lock(mutex_);
    refreshing_ = refreshing;
  }
  std::stop_callback both(stop, [&] { refreshing.request_stop(); });
  work(refreshing.get_token());
  return refreshing.stop_requested();
}

// Nodes need a timestamp that has not expired, whether anything is rolled out or not.
void Supply::regular_refresh(const std::stop_token& stop) {
  Result<void> refreshed;
  bool cut = until_directive(
      stop, [&](std::stop_token until) { refreshed = update("", std::move(until)); });
  if (cut && !refreshed.ok()) return;
  std::chrono::milliseconds longest = options_.refresh_every;
  refresh_pause_ = refreshed.ok()
                       ? longest
                       : std::min(longest, std::max(5 * options_.first_retry, 2 * refresh_pause_));
  next_refresh_ = clock_.steady() + refresh_pause_;
  if (refreshed.ok()) refresh_pause_ = {};
}

void Supply::fetch_step(std::stop_token stop) {
  std::optional<trust::VerifiedDirective> directive = site_.to_supply();
  if (!directive) return rest();
  std::int64_t sequence = directive->directive.sequence;
  std::stop_source fetching;
  {
    std::lock_guard lock(mutex_);
    if (sequence == supplied_sequence_) return;
    if (sequence != retry_sequence_) {
      retry_.reset();
      pause_ = {};
      failure_.clear();
      retry_sequence_ = sequence;
    }
    if (retry_ && clock_.steady() < *retry_) return;
    fetching_ = fetching;
    fetching_sequence_ = sequence;
  }
  questions_.forget_failure_unless(OriginQueue::kMetadata);
  Result<void> done;
  {
    std::stop_callback both(stop, [&] { fetching.request_stop(); });
    done = fetch_directive(*directive, fetching.get_token());
  }
  {
    std::lock_guard lock(mutex_);
    fetching_sequence_ = 0;
    // Superseded, aborted, or interrupted by a question: what asked for the stop asked for another
    // step, too.
    if (!done.ok() && fetching.stop_requested()) return;
    maker_asked_ = true;
    maker_wakes_.notify_all();
  }
  if (!done.ok()) failed(done.error());
}

// There is nothing to fetch, e.g. any more.
void Supply::rest() {
  std::lock_guard lock(mutex_);
  if (row_.state == "idle" || row_.state == "ready" || row_.state == "making") return;
  SupplyRow idle;
  idle.state = "idle";
  idle.text = "the rollout was aborted or has failed: nothing more is fetched for it";
  idle.checked = row_.checked;
  row_ = std::move(idle);
  retry_.reset();
}

void Supply::failed(const Error& error) {
  std::string text = error.describe();
  bool is_new = false;
  {
    std::lock_guard lock(mutex_);
    pause_ =
        pause_.count() == 0 ? options_.first_retry : std::min(pause_ * 2, options_.longest_retry);
    if (!check_window().ok()) {
      pause_ = std::max<std::chrono::milliseconds>(
          pause_, options_.window.opens_in(local_minute(clock_.now())));
    }
    retry_ = clock_.steady() + pause_;
    is_new = failure_ != text;
    failure_ = text;
    row_.state = error.code == Code::kBudget ? "asking" : "waiting";
    row_.text = text;
    row_.retry_at = clock_.now() + std::chrono::ceil<std::chrono::seconds>(pause_);
  }
  log(Level::kWarning, "supply waits", {{"error", text}});
  if (is_new) site_.note(error.code == Code::kBudget ? "budget" : "supply", text);
  changed();
}

void Supply::try_again_now() {
  std::lock_guard lock(mutex_);
  retry_.reset();
  pause_ = {};
  fetcher_asked_ = true;
  fetcher_wakes_.notify_all();
}

// What is mirrored already needs no origin: a rollback works while the WAN is down, at once.
Result<MirroredBundle> Supply::find_bundle(const trust::VerifiedDirective& directive,
                                           std::stop_token stop) {
  const std::string& name = directive.directive.bundle;
  std::optional<KnownBundle> here = known(name);
  if (here && here->mirrored) {
    Result<MirroredBundle> bundle = mirror_.bundle(name, stop);
    if (bundle.ok() && bundle->manifest_digest == directive.directive.manifest) return bundle;
  }
  show("refreshing", "asks the origin for " + name);
  Result<void> refreshed = update(name, stop);
  if (!refreshed.ok() && refreshed.error().code == Code::kCancelled) return refreshed.error();
  Result<MirroredBundle> bundle = mirror_.bundle(name, stop);
  if (!bundle.ok()) return refreshed.ok() ? bundle : refreshed.error();
  if (bundle->manifest_digest != directive.directive.manifest) {
    return Error{Code::kMismatch, fmt::format("{}: the vendor's manifest is {}, the directive "
                                              "names {}",
                                              name, bundle->manifest_digest.hex().substr(0, 12),
                                              directive.directive.manifest.hex().substr(0, 12))};
  }
  learn();
  return bundle;
}

// kConflict outside the hours in which deliveries may cross the WAN.
Result<void> Supply::check_window() const {
  bool open = !mirror_.crosses_wan() || options_.window.is_open(local_minute(clock_.now()));
  if (open) return ok();
  return Error{Code::kConflict, "deliveries cross the WAN at " + options_.window.text() + " only"};
}

Result<void> Supply::bring(const MirroredBundle& bundle, std::stop_token stop) {
  TRY_ASSIGN(SignedRoute route, mirror_.find_route(bundle, stop));
  if (route.bytes > 0) TRY(check_window());
  show("fetching", route.steps.size() == 1 ? bundle.name
                                           : fmt::format("{} by a chain of {} deliveries",
                                                         bundle.name, route.steps.size()));
  auto progress = [this](std::uint64_t have, std::uint64_t total) {
    {
      std::lock_guard lock(mutex_);
      row_.done = have;
      row_.total = total;
      if (have == total) row_.state = "building";
      // A download may take longer than the metadata stay fresh. Not sooner: what is on its way
      // when it is cut comes over the WAN once more.
      if (have != total && clock_.steady() >= next_refresh_ + kLongDownload) {
        fetching_.request_stop();
        fetcher_asked_ = true;
      }
      if (have != total && !check_window().ok()) {
        fetching_.request_stop();
        fetcher_asked_ = true;
      }
    }
    changed();
  };
  Result<void> supplied = mirror_.supply(bundle, progress, stop);
  tell(bundle.name, supplied);
  TRY(std::move(supplied));
  TRY_ASSIGN(WanBytes wan, counters_.wan(bundle.name));
  site_.note("supply", fmt::format("{} is in the store; {} bytes of payload and {} of metadata "
                                   "crossed the WAN",
                                   bundle.name, wan.payload, wan.metadata));
  return ok();
}

Result<void> Supply::fetch_directive(const trust::VerifiedDirective& directive,
                                     std::stop_token stop) {
  TRY_ASSIGN(MirroredBundle bundle, find_bundle(directive, stop));
  site_.bundle_news({bundle.manifest_digest, bundle.manifest, false});
  std::lock_guard building(building_);
  if (!bundles_.has_tree(bundle.manifest.tree)) TRY(bring(bundle, stop));
  show("making", "deliveries for the bases on the floor");
  {
    std::lock_guard lock(mutex_);
    current_ = bundle.manifest;
    supplied_sequence_ = directive.directive.sequence;
    supplied_at_ = clock_.steady();
    roll_back_ = directive.directive.on_failure == trust::OnFailure::kRollBack;
    not_made_.clear();
    making_.request_stop();
  }
  seed_all();
  site_.bundle_news({bundle.manifest_digest, bundle.manifest, true});
  return ok();
}

}  // namespace lineside::seeder
