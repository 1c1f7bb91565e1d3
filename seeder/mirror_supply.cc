// SPDX-License-Identifier: Apache-2.0
// The part of Mirror that brings trees into the store: routes, deliveries, what they build.
#include <fmt/format.h>

#include <map>

#include "delta/apply_delivery.h"
#include "delta/scan.h"
#include "proto/base/log.h"
#include "proto/trust/merkle.h"
#include "seeder/mirror_source.h"

namespace lineside::seeder {
namespace {

constexpr std::uint64_t kApplyMemoryBytes = 1ULL << 30;  // a gateway, not a device
// Of an answer's head, which is counted, too.
constexpr std::uint64_t kHeadBytes = 1024;
constexpr int kMaxTries = 8;  // each time round there is a base or a delivery less
// How many bytes may be uncounted if the gateway dies in mid-transfer.
constexpr std::uint64_t kCountEvery = 1ULL << 20;

// Counts what a download brings while it goes on, and ends it before it exceeds what is left: a
// server without ranges sends again what is here already.
class Meter {
 public:
  Meter(RolloutStore& counters, std::string release, std::uint64_t left, bool crosses_wan)
      : counters_(counters), release_(std::move(release)), left_(left), crosses_wan_(crosses_wan) {}

  // The file has `have` bytes now. False if it must not go on.
  bool moved(std::uint64_t have, std::uint64_t expected) {
    came_ += have > have_ ? have - have_ : have;
    have_ = have;
    if (!crosses_wan_) return true;
    if (came_ >= counted_ + kCountEvery && !count(came_).ok()) return false;
    return have == expected || came_ + kHeadBytes <= left_;
  }
  void start_at(std::uint64_t have) { have_ = have; }
  // `received`: what really came, heads included.
  Result<void> settle(std::uint64_t received) { return count(std::max(received, counted_)); }
  [[nodiscard]] bool ran_out() const { return crosses_wan_ && came_ + kHeadBytes > left_; }

 private:
  Result<void> count(std::uint64_t sum) {
    TRY(counters_.add_wan(release_, {sum - counted_, 0}));
    counted_ = sum;
    return ok();
  }

  RolloutStore& counters_;
  std::string release_;
  std::uint64_t left_;
  bool crosses_wan_;
  std::uint64_t have_ = 0;
  std::uint64_t came_ = 0;
  std::uint64_t counted_ = 0;
};

}  // namespace

// What the vendor's targets name, by tree.
class Mirror::Atlas {
 public:
  explicit Atlas(const Mirror& mirror)
      : mirror_(mirror),
        updater_(mirror.disk_, mirror.dir_ / "trust", none_, mirror.clock_.now()) {}

  Result<void> load() {
    TRY(updater_.load());
    std::map<std::string, trust::TargetInfo> by_name;
    for (const trust::TargetInfo& info : updater_.targets()) by_name[info.name] = info;
    constexpr std::string_view kListing = ".listing";
    for (const auto& [name, info] : by_name) {
      if (!name.ends_with(kListing) || !info.sha256()) continue;
      auto manifest = by_name.find(name.substr(0, name.size() - kListing.size()) + ".json");
      if (manifest != by_name.end()) trees_[*info.sha256()] = {manifest->second, info};
    }
    return ok();
  }

  [[nodiscard]] std::string name(const trust::TreeId& tree) const {
    auto found = trees_.find(tree);
    return found == trees_.end() ? "" : found->second.manifest.name;
  }

  [[nodiscard]] std::optional<RouteQuestions::Facts> facts(const trust::TreeId& tree) const {
    auto found = trees_.find(tree);
    if (found == trees_.end()) return std::nullopt;
    return RouteQuestions::Facts{missing(found->second.manifest), missing(found->second.listing)};
  }

  // By what is mirrored.
  [[nodiscard]] std::optional<std::vector<trust::Delivery>> deliveries(
      const trust::TreeId& tree) const {
    auto found = trees_.find(tree);
    if (found == trees_.end()) return std::nullopt;
    const trust::TargetInfo& info = found->second.manifest;
    Result<Bytes> bytes = mirror_.disk_.read(file(info), info.length);
    if (!bytes.ok() || sha256(*bytes) != info.sha256()) return std::nullopt;
    Result<trust::Manifest> manifest = trust::parse_manifest(*bytes);
    if (!manifest.ok() || manifest->tree != tree) return std::nullopt;
    return std::move(manifest->deliveries);
  }

 private:
  struct Files {
    trust::TargetInfo manifest;
    trust::TargetInfo listing;
  };
  [[nodiscard]] Path file(const trust::TargetInfo& info) const {
    return mirror_.targets_dir() / updater_.repository_name(info);
  }
  [[nodiscard]] std::uint64_t missing(const trust::TargetInfo& info) const {
    auto here = mirror_.disk_.stat(file(info));
    bool whole = here.ok() && *here && (*here)->size == info.length;
    return whole ? 0 : info.length + kHeadBytes;
  }

  const Mirror& mirror_;
  NoNetwork none_;
  trust::Updater updater_;
  std::map<trust::TreeId, Files> trees_;
};

Path Mirror::part_path(const Digest& root) const {
  return bundles_.staging(root.hex() + ".part");
}

bool Mirror::is_held(const trust::Delivery& delivery) const {
  auto held = bundles_.route(delivery.base, delivery.target);
  return held && held->root == delivery.root;
}

std::uint64_t Mirror::remaining(const trust::Delivery& delivery) const {
  if (is_held(delivery)) return 0;
  auto present = disk_.stat(part_path(delivery.root));
  bool begun = present.ok() && present->has_value();
  return delivery.length - (begun ? std::min((*present)->size, delivery.length) : 0);
}

std::optional<SignedRoute> Mirror::cheapest(const trust::Manifest& manifest) const {
  Atlas atlas(*this);
  (void)atlas.load().ok();  // without it there are no ways through other trees
  RouteQuestions ask{[this](const auto& tree) { return bundles_.has_tree(tree); },
                     [this](const auto& delivery) { return remaining(delivery); },
                     [&](const auto& tree) { return atlas.facts(tree); },
                     [&](const auto& tree) { return atlas.deliveries(tree); }};
  return cheapest_route(manifest, ask);
}

Result<SignedRoute> Mirror::find_route(const MirroredBundle& bundle, std::stop_token stop) {
  Atlas atlas(*this);
  TRY(atlas.load());
  RouteQuestions ask{[this](const auto& tree) { return bundles_.has_tree(tree); },
                     [this](const auto& delivery) { return remaining(delivery); },
                     [&](const auto& tree) { return atlas.facts(tree); },
                     [&](const auto& tree) {
                       auto here = atlas.deliveries(tree);
                       if (here) return here;
                       (void)bundle_for(bundle.name, atlas.name(tree), stop).ok();
                       return atlas.deliveries(tree);
                     }};
  std::optional<SignedRoute> route = cheapest_route(bundle.manifest, ask);
  if (!route) {
    return Error{Code::kNotFound,
                 bundle.name + ": no signed delivery starts from a tree that this site holds"};
  }
  std::uint64_t heads = route->bytes == 0 ? 0 : kHeadBytes * route->steps.size();
  TRY(check_budget(bundle.name, route->bytes + heads));
  return *route;
}

Result<void> Mirror::fetch_delivery(const trust::Delivery& delivery, const std::string& release,
                                    const std::function<void(std::uint64_t)>& progress,
                                    std::stop_token stop) {
  if (is_held(delivery)) return ok();
  Path part = part_path(delivery.root);
  TRY_ASSIGN(auto present, disk_.stat(part));
  std::uint64_t have = present ? present->size : 0;
  if (have > delivery.length) {
    TRY(disk_.remove(part));
    have = 0;
  }
  TRY_ASSIGN(std::uint64_t left, budget_left(release));
  Meter meter(counters_, release, left, origin_.crosses_wan());
  meter.start_at(have);
  std::stop_source ends;
  std::stop_callback both(stop, [&] { ends.request_stop(); });
  auto moved = [&](std::uint64_t now) {
    if (!meter.moved(now, delivery.length)) ends.request_stop();
    if (progress) progress(now);
  };
  std::uint64_t before = origin_.bytes_received();
  Result<void> came = origin_.download("deliveries/" + delivery.root.hex(), delivery.length, part,
                                       {options_.max_bytes_per_second, moved, ends.get_token()});
  TRY(meter.settle(origin_.bytes_received() - before));
  if (!came.ok() && meter.ran_out()) TRY(check_budget(release, remaining(delivery) + kHeadBytes));
  if (!came.ok())
    return came.error().with(
        fmt::format("fetching the delivery for {} (deliveries/{})", release, delivery.root.hex()));
  Result<void> adopted = bundles_.adopt_delivery(part, delivery);
  if (!adopted.ok() && adopted.error().code == Code::kMismatch) (void)disk_.remove(part).ok();
  return adopted;
}

// All of them before the first is applied: the WAN is what may be gone later.
Result<void> Mirror::fetch_route(const SignedRoute& route, const std::string& release,
                                 const Progress& progress, const std::stop_token& stop) {
  std::uint64_t total = 0;
  for (const trust::Delivery& step : route.steps) total += step.length;
  std::uint64_t before = 0;
  for (const trust::Delivery& step : route.steps) {
    auto moved = [&](std::uint64_t have) {
      if (progress) progress(before + have, total);
    };
    TRY(fetch_delivery(step, release, moved, stop));
    before += step.length;
  }
  return ok();
}

Result<void> Mirror::apply(const trust::Delivery& delivery, const MirroredBundle& bundle,
                           std::stop_token stop) {
  TRY_ASSIGN(trust::Listing base, bundles_.listing(delivery.base));
  TRY_ASSIGN(trust::Listing target, trust::parse_listing(bundle.listing));
  Path base_dir = bundles_.tree_dir(delivery.base);
  if (delivery.base == empty_tree()) {
    base_dir = bundles_.staging("empty");
    TRY(disk_.make_dirs(base_dir));
  }
  Path out = bundles_.staging(bundle.manifest.tree.hex());
  TRY(disk_.remove_tree(out));
  delta::ApplyOptions options;
  options.threads = 2;
  options.max_memory_bytes = kApplyMemoryBytes;
  auto applied = delta::apply_delivery(disk_, bundles_.delivery_path(delivery.root), base, base_dir,
                                       target, out, options, {}, std::move(stop));
  if (!applied.ok()) return applied.error().with("building " + bundle.name);
  return bundles_.adopt_tree(out, bundle.listing);
}

// In words; empty if it is whole, or if that was not found out.
std::string Mirror::damage_of(const Digest& tree, std::stop_token stop) const {
  Result<trust::Listing> listing = bundles_.listing(tree);
  if (!listing.ok()) return listing.error().describe();
  if (trust::tree_id(*listing) != tree) return "its listing is another one";
  auto found = delta::verify_tree(disk_, bundles_.tree_dir(tree), *listing, 2, std::move(stop));
  if (!found.ok()) {
    return found.error().code == Code::kCancelled ? "" : found.error().describe();
  }
  if (found->empty()) return "";
  const delta::Difference& first = found->front();
  return first.path + (first.detail.empty() ? "" : ": " + first.detail);
}

Result<bool> Mirror::forget_if_damaged(const Digest& tree, std::stop_token stop) {
  if (tree == empty_tree()) return false;
  std::string damage = damage_of(tree, std::move(stop));
  if (damage.empty()) return false;
  TRY(bundles_.forget_tree(tree));
  std::string text = fmt::format(
      "tree {} is damaged in the gateway's store ({}): it is a base no more, another "
      "route is taken; look at that disk",
      tree.hex().substr(0, 12), damage);
  log(Level::kWarning, "store", {{"damage", text}});
  if (tell_) tell_(text);
  return true;
}

Result<bool> Mirror::forget_if_damaged(const trust::Delivery& delivery) {
  TRY_ASSIGN(auto input, disk_.open(bundles_.delivery_path(delivery.root)));
  Result<trust::FileFacts> facts = trust::hash_file(*input, 2);
  if (facts.ok() && input->size() == delivery.length && facts->root == delivery.root) return false;
  TRY(bundles_.forget_delivery(delivery));
  std::string text = fmt::format(
      "delivery {} is damaged in the gateway's store: it is fetched again; look at that disk",
      delivery.root.hex().substr(0, 12));
  log(Level::kWarning, "store", {{"damage", text}});
  if (tell_) tell_(text);
  return true;
}

// A tree on the way is built like any other, from its own signed listing.
Result<void> Mirror::apply_step(const trust::Delivery& delivery, const MirroredBundle& bundle,
                                std::stop_token stop) {
  if (delivery.target == bundle.manifest.tree) return apply(delivery, bundle, std::move(stop));
  Atlas atlas(*this);
  TRY(atlas.load());
  TRY_ASSIGN(MirroredBundle between, bundle_for(bundle.name, atlas.name(delivery.target), stop));
  return apply(delivery, between, std::move(stop));
}

Result<void> Mirror::supply(const MirroredBundle& bundle, const Progress& progress,
                            std::stop_token stop) {
  for (int tries = 0; !bundles_.has_tree(bundle.manifest.tree); ++tries) {
    if (tries == kMaxTries) {
      return Error{Code::kIo, "what is built in the gateway's store is damaged again and again"};
    }
    TRY_ASSIGN(SignedRoute route, find_route(bundle, stop));
    TRY(fetch_route(route, bundle.name, progress, stop));
    for (const trust::Delivery& step : route.steps) {
      if (bundles_.has_tree(step.target)) continue;
      Result<void> applied = apply_step(step, bundle, stop);
      if (applied.ok()) continue;
      Code code = applied.error().code;
      if (code == Code::kCancelled || code == Code::kNoSpace) return applied;
      TRY_ASSIGN(bool forgotten, forget_if_damaged(step.base, stop));
      if (!forgotten) {
        TRY_ASSIGN(forgotten, forget_if_damaged(step));
      }
      if (!forgotten) return applied;
      break;
    }
  }
  return ok();
}

}  // namespace lineside::seeder
