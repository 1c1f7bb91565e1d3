// SPDX-License-Identifier: Apache-2.0
// The part of Supply that takes bundles from a folder, e.g. a stick that was carried to a site
// without a WAN, and what operators allow beside a budget.
#include <fmt/format.h>

#include <map>

#include "proto/base/log.h"
#include "seeder/supply.h"

namespace lineside::seeder {

Result<void> Supply::import(const Path& folder, const std::string& bundle) {
  OriginQueue::Ticket question = questions_.ask(bundle, folder.string());
  {
    std::lock_guard lock(mutex_);
    fetching_.request_stop();  // it goes on where it was
    fetcher_asked_ = true;
    fetcher_wakes_.notify_all();
  }
  return questions_.await(question, options_.longest_answer);
}

// Of each name the one with the highest release, among those whose manifest is here.
std::vector<std::string> Supply::newest_releases() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, const trust::Manifest*> newest;
  for (const auto& [target, bundle] : *catalogue_) {
    if (!bundle.manifest) continue;
    const trust::Manifest*& best = newest[bundle.manifest->name];
    if (best == nullptr || best->release < bundle.manifest->release) best = &*bundle.manifest;
  }
  std::vector<std::string> names;
  names.reserve(newest.size());
  for (const auto& [name, manifest] : newest) names.push_back(manifest->target_name());
  return names;
}

// False if the folder lacks something of it.
Result<bool> Supply::import_bundle(Mirror& stick, const std::string& name, std::stop_token stop) {
  Result<MirroredBundle> bundle = stick.bundle(name, stop);
  if (!bundle.ok() && bundle.error().code == Code::kNotFound) return false;
  if (!bundle.ok()) return bundle.error();
  std::lock_guard building(building_);
  Result<void> supplied = stick.supply(*bundle, {}, std::move(stop));
  if (!supplied.ok() && supplied.error().code == Code::kNotFound) return false;
  TRY(std::move(supplied));
  TRY(counters_.add_import(name));
  site_.note("import", name + " is in the store: it waits there for its rollout");
  return true;
}

// The metadata of a stick may be older than ours: what ours still list is taken nevertheless.
Result<void> Supply::import_now(const Path& folder, const std::string& bundle,
                                std::stop_token stop) {
  TRY_ASSIGN(auto origin, open_origin(disk_, folder.string(), ""));
  Mirror stick = mirror_.fed_from(*origin);
  Result<void> refreshed = stick.refresh("", stop);
  if (!refreshed.ok() && refreshed.error().code != Code::kRollback) {
    return refreshed.error().with("importing " + folder.string());
  }
  learn();
  std::shared_ptr<const Catalogue> catalogue;
  {
    std::lock_guard lock(mutex_);
    catalogue = catalogue_;
  }
  for (const auto& [name, known] : *catalogue) {
    bool wanted = bundle.empty() || name == bundle;
    if (wanted && !known.mirrored) (void)stick.bundle(name, stop).ok();  // not all are on a stick
  }
  learn();
  std::vector<std::string> names =
      bundle.empty() ? newest_releases() : std::vector<std::string>{bundle};
  std::size_t taken = 0;
  for (const std::string& name : names) {
    Result<bool> done = import_bundle(stick, name, stop);
    if (!done.ok()) return done.error().with("importing " + name + " from " + folder.string());
    taken += *done ? 1 : 0;
  }
  if (taken == 0) {
    return Error{Code::kConflict,
                 fmt::format("{} holds no delivery of {} that starts from what "
                             "this site has",
                             folder.string(), bundle.empty() ? "any newest release" : bundle)};
  }
  learn();
  try_again_now();
  return ok();
}

Result<void> Supply::allow(const std::string& bundle, std::uint64_t bytes,
                           const std::string& actor) {
  if (!known(bundle)) return Error{Code::kNotFound, "the vendor does not list " + bundle};
  Event event;
  event.at = clock_.now();
  event.kind = "budget";
  event.actor = actor;
  event.text = fmt::format("{} bytes more may cross the WAN for {}", bytes, bundle);
  TRY(counters_.allow_wan(bundle, bytes, event));
  try_again_now();
  return ok();
}

}  // namespace lineside::seeder
