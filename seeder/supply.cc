// SPDX-License-Identifier: Apache-2.0
#include "seeder/supply.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "proto/base/log.h"

namespace lineside::seeder {
namespace {

constexpr std::chrono::seconds kLongestAnswer{60};

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
      options_(options) {
  row_.state = "idle";
}

Supply::~Supply() = default;

void Supply::start() {
  fetcher_ = std::jthread([this](std::stop_token stop) { run_fetcher(std::move(stop)); });
  maker_ = std::jthread([this](std::stop_token stop) { run_maker(std::move(stop)); });
}

void Supply::wake() {
  std::lock_guard lock(mutex_);
  std::optional<trust::VerifiedDirective> directive = site_.directive();
  if (directive && directive->directive.sequence != supplied_sequence_) {
    // The WAN is too dear for what nobody is to run any more.
    if (directive->directive.sequence != fetching_sequence_) fetching_.request_stop();
    fetcher_asked_ = true;
    fetcher_wakes_.notify_all();
  }
  maker_asked_ = true;
  maker_wakes_.notify_all();
}

SupplyRow Supply::row() const {
  std::lock_guard lock(mutex_);
  return row_;
}

void Supply::show(std::string state, std::string text) {
  std::lock_guard lock(mutex_);
  row_.state = std::move(state);
  row_.text = std::move(text);
  row_.done = row_.total = 0;
  row_.retry_at.reset();
}

// A job for the fetcher's thread, which alone uses the mirror.
Result<void> Supply::on_fetcher(std::function<void()> work) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> waits = done->get_future();
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back([work = std::move(work), done] {
      work();
      done->set_value();
    });
    fetcher_wakes_.notify_all();
  }
  if (waits.wait_for(kLongestAnswer) == std::future_status::ready) return ok();
  return Error{Code::kTimeout, "the gateway is busy with the origin; ask again"};
}

Result<PlanView> Supply::plan(const std::string& bundle) {
  auto answer = std::make_shared<std::optional<Result<PlanView>>>();
  TRY(on_fetcher([this, bundle, answer] { *answer = make_plan(bundle); }));
  return std::move(**answer);
}

Result<void> Supply::refresh() {
  auto answer = std::make_shared<Result<void>>();
  TRY(on_fetcher([this, answer] {
    *answer = mirror_.refresh("", {});
    if (answer->ok()) {
      std::lock_guard lock(mutex_);
      row_.checked = clock_.now();
    }
  }));
  return *answer;
}

Result<std::vector<BundleRow>> Supply::bundles() {
  auto rows = std::make_shared<std::vector<BundleRow>>();
  TRY(on_fetcher([this, rows] {
    for (const trust::TargetInfo& info : mirror_.manifests()) {
      BundleRow row{info.name, info.length, mirror_.has_bundle(info.name), false};
      if (row.mirrored) {
        Result<MirroredBundle> bundle = mirror_.bundle(info.name, {});
        row.held = bundle.ok() && bundles_.has_tree(bundle->manifest.tree);
      }
      rows->push_back(std::move(row));
    }
  }));
  return *rows;
}

void Supply::run_fetcher(std::stop_token stop) {
  auto next_refresh = std::chrono::steady_clock::now() + regular_refresh(stop);
  while (!stop.stop_requested()) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      auto until = retry_ ? std::min(*retry_, next_refresh) : next_refresh;
      fetcher_wakes_.wait_until(lock, stop, until,
                                [&] { return fetcher_asked_ || !jobs_.empty(); });
      if (!jobs_.empty()) {
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      if (fetcher_asked_) retry_.reset();
      fetcher_asked_ = false;
    }
    if (stop.stop_requested()) return;
    if (job) job();
    if (std::chrono::steady_clock::now() >= next_refresh) {
      next_refresh = std::chrono::steady_clock::now() + regular_refresh(stop);
    }
    fetch_step(stop);
  }
}

// Nodes need a timestamp that has not expired, whether anything is rolled out or not. Returns when
// to ask next: sooner after a failure.
std::chrono::milliseconds Supply::regular_refresh(std::stop_token stop) {
  Result<void> refreshed = mirror_.refresh("", std::move(stop));
  std::lock_guard lock(mutex_);
  if (refreshed.ok()) {
    row_.checked = clock_.now();
    return options_.refresh_every;
  }
  row_.text = "origin: " + refreshed.error().describe();
  log(Level::kWarning, "origin not refreshed", {{"error", refreshed.error().describe()}});
  return std::min<std::chrono::milliseconds>(options_.refresh_every, 5 * options_.first_retry);
}

void Supply::fetch_step(std::stop_token stop) {
  std::optional<trust::VerifiedDirective> directive;
  std::stop_source fetching;
  {
    std::lock_guard lock(mutex_);
    directive = site_.directive();
    if (!directive || directive->directive.sequence == supplied_sequence_) return;
    if (retry_ && std::chrono::steady_clock::now() < *retry_) return;
    fetching_ = fetching;
    fetching_sequence_ = directive->directive.sequence;
  }
  std::stop_callback both(stop, [&] { fetching.request_stop(); });
  Result<void> done = fetch_directive(*directive, fetching.get_token());
  // Superseded: what asked for the stop has asked for the next step, too.
  if (!done.ok() && fetching.stop_requested()) return;
  if (!done.ok()) return failed(done.error());
  std::lock_guard lock(mutex_);
  retry_.reset();
  pause_ = std::chrono::milliseconds(0);
  maker_asked_ = true;
  maker_wakes_.notify_all();
}

void Supply::failed(const Error& error) {
  std::string text = error.describe();
  bool is_new = false;
  {
    std::lock_guard lock(mutex_);
    pause_ =
        pause_.count() == 0 ? options_.first_retry : std::min(pause_ * 2, options_.longest_retry);
    retry_ = std::chrono::steady_clock::now() + pause_;
    is_new = row_.state != "waiting" || row_.text != text;
    row_.state = "waiting";
    row_.text = text;
    row_.retry_at = clock_.now() + std::chrono::ceil<std::chrono::seconds>(pause_);
  }
  log(Level::kWarning, "supply waits", {{"error", text}});
  if (is_new) site_.note("supply", text);
}

// What is mirrored already needs no origin: a rollback works while the WAN is down.
Result<MirroredBundle> Supply::find_bundle(const trust::VerifiedDirective& directive,
                                           std::stop_token stop) {
  const std::string& name = directive.directive.bundle;
  Result<void> refreshed = mirror_.refresh(name, stop);
  if (refreshed.ok()) {
    std::lock_guard lock(mutex_);
    row_.checked = clock_.now();
  }
  Result<MirroredBundle> bundle = mirror_.bundle(name, stop);
  if (!bundle.ok()) return refreshed.ok() ? bundle : refreshed.error();
  if (bundle->manifest_digest != directive.directive.manifest) {
    return Error{Code::kMismatch, fmt::format("{}: the vendor's manifest is {}, the directive "
                                              "names {}",
                                              name, bundle->manifest_digest.hex().substr(0, 12),
                                              directive.directive.manifest.hex().substr(0, 12))};
  }
  return bundle;
}

Result<void> Supply::fetch_directive(const trust::VerifiedDirective& directive,
                                     std::stop_token stop) {
  const std::string& name = directive.directive.bundle;
  show("refreshing", "asks the origin for " + name);
  TRY_ASSIGN(MirroredBundle bundle, find_bundle(directive, stop));
  site_.bundle_news({bundle.manifest_digest, bundle.manifest, false});
  bool held = bundles_.has_tree(bundle.manifest.tree);
  if (!held) {
    std::optional<Mirror::Choice> choice = mirror_.cheapest(bundle.manifest);
    show("fetching", name);
    std::uint64_t total = choice ? choice->delivery.length : 0;
    Result<void> supplied = mirror_.supply(
        bundle,
        [this, total](std::uint64_t have) {
          std::lock_guard lock(mutex_);
          row_.done = have;
          row_.total = total;
          if (have == total) row_.state = "building";
        },
        stop);
    TRY(std::move(supplied));
    TRY_ASSIGN(WanBytes wan, counters_.wan(name));
    site_.note("supply", fmt::format("{} is in the store; {} bytes of payload and {} of metadata "
                                     "crossed the WAN",
                                     name, wan.payload, wan.metadata));
  }
  show("making", "deliveries for the bases on the floor");
  {
    std::lock_guard lock(mutex_);
    current_ = bundle.manifest;
    supplied_sequence_ = directive.directive.sequence;
    roll_back_ = directive.directive.on_failure == trust::OnFailure::kRollBack;
    unmakeable_.clear();
    making_.request_stop();
  }
  seed_all();
  site_.bundle_news({bundle.manifest_digest, bundle.manifest, true});
  return ok();
}

Result<PlanView> Supply::make_plan(const std::string& bundle) {
  Result<void> refreshed = mirror_.refresh(bundle, {});
  Result<MirroredBundle> found = mirror_.bundle(bundle, {});
  if (!found.ok()) return refreshed.ok() ? found.error() : refreshed.error();
  const trust::Manifest& manifest = found->manifest;
  PlanView plan;
  plan.bundle = bundle;
  plan.target = manifest.tree;
  plan.held = bundles_.has_tree(manifest.tree);
  plan.wan_budget = options_.budget;
  TRY_ASSIGN(WanBytes used, counters_.wan(bundle));
  plan.wan_used = used.payload + used.metadata;
  std::optional<Mirror::Choice> choice = mirror_.cheapest(manifest);
  if (!plan.held && choice) {
    plan.wan_bytes = choice->remaining;
    plan.wan_base = choice->delivery.base;
  }
  std::vector<Digest> bases = site_.floor_trees();
  bases.push_back(empty_tree());
  for (const Digest& base : bases) {
    if (base == manifest.tree) continue;
    PlanRoute route{base, 0, false};
    if (auto held = bundles_.route(base, manifest.tree)) {
      route.length = held->length;
      route.ready = true;
    }
    for (const trust::Delivery& delivery : manifest.deliveries) {
      if (delivery.base == base && route.length == 0) route.length = delivery.length;
    }
    plan.routes.push_back(route);
  }
  return plan;
}

}  // namespace lineside::seeder
