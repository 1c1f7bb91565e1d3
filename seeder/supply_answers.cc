// SPDX-License-Identifier: Apache-2.0
// The part of Supply that answers people: by what is held, and by what the origin says in time.
#include <fmt/format.h>

#include "seeder/supply.h"

namespace lineside::seeder {
namespace {

Result<void> outcome(const Result<MirroredBundle>& bundle) {
  return bundle.ok() ? ok() : Result<void>(bundle.error());
}

}  // namespace

void Supply::learn() {
  auto catalogue = std::make_shared<const Catalogue>(mirror_.catalogue());
  std::lock_guard lock(mutex_);
  catalogue_ = std::move(catalogue);
}

std::optional<KnownBundle> Supply::known(const std::string& bundle) const {
  std::lock_guard lock(mutex_);
  auto found = catalogue_->find(bundle);
  return found == catalogue_->end() ? std::nullopt : std::optional(found->second);
}

void Supply::tell(const std::string& concerns, const Result<void>& result) {
  if (!questions_.heard(concerns, result, clock_.now())) return;
  site_.note("origin", result.ok() ? "the origin answers again" : result.error().describe());
}

// The vendor's metadata, on behalf of `release`.
Result<void> Supply::update(const std::string& release, std::stop_token stop) {
  Result<void> refreshed = mirror_.refresh(release, std::move(stop));
  tell(OriginQueue::kMetadata, refreshed);
  TRY(std::move(refreshed));
  learn();
  std::lock_guard lock(mutex_);
  row_.checked = clock_.now();
  return ok();
}

// What a question asks the fetcher to do.
Result<void> Supply::consult(const std::string& bundle, std::stop_token stop) {
  TRY(update(bundle, stop));
  if (bundle.empty()) return ok();
  if (!known(bundle)) return Error{Code::kNotFound, "the vendor does not list " + bundle};
  Result<void> found = outcome(mirror_.bundle(bundle, std::move(stop)));
  tell(bundle, found);
  learn();
  return found;
}

void Supply::answer_questions(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    OriginQueue::Ticket question = questions_.next();
    if (!question) return;
    Result<void> answer;
    bool cut = until_directive(stop, [&](std::stop_token until) {
      answer = question->folder.empty()
                   ? consult(question->bundle, std::move(until))
                   : import_now(question->folder, question->bundle, std::move(until));
    });
    if (cut && !answer.ok()) return;  // it is asked again after the directive
    questions_.answer(question, std::move(answer));
  }
}

// With something known already nobody waits for an origin in trouble, nor is a download
// interrupted.
Result<void> Supply::ask_origin(const std::string& bundle, bool known) {
  bool trouble = questions_.fails(bundle);
  {
    std::lock_guard lock(mutex_);
    if (known && (row_.state == "fetching" || row_.state == "building")) return ok();
  }
  OriginQueue::Ticket question = questions_.ask(bundle);
  {
    std::lock_guard lock(mutex_);
    if (row_.state == "fetching") fetching_.request_stop();  // it goes on where it was
    fetcher_asked_ = true;
    fetcher_wakes_.notify_all();
  }
  std::chrono::milliseconds patience = options_.longest_answer;
  if (known && trouble) patience = {};
  return questions_.await(question, patience);
}

Result<PlanView> Supply::plan(const std::string& bundle) {
  std::optional<KnownBundle> before = known(bundle);
  Result<void> asked = ask_origin(bundle, before && before->mirrored);
  std::optional<KnownBundle> now = known(bundle);
  if (now && now->manifest) return make_plan(bundle, *now->manifest);
  if (!asked.ok()) return asked.error();
  return Error{Code::kNotFound, "the vendor does not list " + bundle};
}

Result<void> Supply::refresh() {
  return ask_origin("", false);
}

std::vector<BundleRow> Supply::bundles() const {
  std::shared_ptr<const Catalogue> catalogue;
  {
    std::lock_guard lock(mutex_);
    catalogue = catalogue_;
  }
  std::vector<BundleRow> rows;
  for (const auto& [name, bundle] : *catalogue) {
    bool held = bundle.mirrored && bundles_.has_tree(bundle.manifest->tree);
    rows.push_back({name, bundle.length, bundle.mirrored, held});
  }
  return rows;
}

std::vector<PlanRoute> Supply::plan_routes(const trust::Manifest& manifest) const {
  std::vector<Digest> bases = site_.floor_trees();
  bases.push_back(empty_tree());
  std::vector<PlanRoute> routes;
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
    routes.push_back(route);
  }
  return routes;
}

Result<PlanView> Supply::make_plan(const std::string& bundle, const trust::Manifest& manifest) {
  PlanView plan;
  plan.bundle = bundle;
  plan.target = manifest.tree;
  plan.held = bundles_.has_tree(manifest.tree);
  plan.wan_budget = options_.budget;
  TRY_ASSIGN(WanBytes used, counters_.wan(bundle));
  plan.wan_used = used.payload + used.metadata;
  std::optional<SignedRoute> route = mirror_.cheapest(manifest);
  if (!plan.held && route) {
    plan.wan_bytes = route->bytes;
    plan.wan_base = route->base();
  }
  plan.routes = plan_routes(manifest);
  plan.origin = origin();
  return plan;
}

}  // namespace lineside::seeder
