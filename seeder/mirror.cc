// SPDX-License-Identifier: Apache-2.0
#include "seeder/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "delta/apply_delivery.h"
#include "delta/scan.h"
#include "proto/base/log.h"

namespace lineside::seeder {
namespace {

constexpr std::string_view kVersion = "0123456789.";     // before a role's name: "2.root.json"
constexpr std::uint64_t kApplyMemoryBytes = 1ULL << 30;  // a gateway, not a device

}  // namespace

// One visit to the origin below one of its folders: counts what comes, keeps what was received.
class Mirror::Source final : public trust::Fetcher {
 public:
  Source(Mirror& mirror, std::string folder, std::string release, std::stop_token stop)
      : mirror_(mirror),
        folder_(std::move(folder)),
        release_(std::move(release)),
        stop_(std::move(stop)) {}

  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override {
    TRY(mirror_.check_budget(release_, 1));
    TRY_ASSIGN(std::uint64_t left, mirror_.budget_left(release_));
    std::uint64_t most = std::min(max_bytes, left);
    std::uint64_t before = mirror_.origin_.bytes_received();
    Result<Bytes> body = mirror_.origin_.fetch(folder_ + std::string(path), most, stop_);
    std::uint64_t came = mirror_.origin_.bytes_received() - before;
    TRY(mirror_.counters_.add_wan(release_, {0, came}));
    if (!body.ok() && body.error().code == Code::kTooLarge && most < max_bytes) {
      return Error{Code::kBudget, fmt::format("{}: more than the {} bytes that are left of the WAN "
                                              "budget of {}",
                                              path, most, release_)};
    }
    if (!body.ok()) return body.error().with(wanted(path));
    received_[std::string(path)] = *body;
    return body;
  }

  [[nodiscard]] const std::map<std::string, Bytes>& received() const { return received_; }

 private:
  // In words, since an address alone tells an operator nothing.
  [[nodiscard]] std::string wanted(std::string_view path) const {
    std::string place = " (" + folder_ + std::string(path) + ")";
    if (folder_ == "targets/") return "fetching a signed file of " + release_ + place;
    std::string_view role = path.substr(std::min(path.size(), path.find_first_not_of(kVersion)));
    role = role.substr(0, role.find('.'));
    return fmt::format("fetching the vendor's {} metadata{}", role, place);
  }

  Mirror& mirror_;
  std::string folder_;
  std::string release_;
  std::stop_token stop_;
  std::map<std::string, Bytes> received_;
};

namespace {

// For what must be here already: never the network.
class NoNetwork final : public trust::Fetcher {
 public:
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t /*max*/) override {
    return Error{Code::kNotFound, std::string(path) + " is not mirrored"};
  }
};

}  // namespace

Mirror::Mirror(Disk& disk, Path dir, BundleStore& bundles, RolloutStore& counters, Origin& origin,
               Clock& clock, MirrorOptions options)
    : disk_(disk),
      dir_(std::move(dir)),
      bundles_(bundles),
      counters_(counters),
      origin_(origin),
      clock_(clock),
      options_(options) {}

Result<void> Mirror::prepare(BytesView vendor_root) {
  for (const char* folder : {"trust", "metadata", "targets"}) TRY(disk_.make_dirs(dir_ / folder));
  TRY_ASSIGN(auto present, disk_.stat(dir_ / "trust" / "root.json"));
  TRY(trust::Updater::anchor(disk_, dir_ / "trust", vendor_root));
  NoNetwork none;
  trust::Updater updater(disk_, dir_ / "trust", none, clock_.now());
  Result<void> loaded = updater.load();
  if (!loaded.ok()) return loaded.error().with("vendor's root");
  if (present) return ok();
  return disk_.replace(metadata_dir() / fmt::format("{}.root.json", updater.version("root")),
                       vendor_root);
}

// What serves no release is counted but never refused: without a fresh timestamp the whole site
// stands still, and nothing would ever set that count back.
Result<std::uint64_t> Mirror::budget_left(const std::string& release) const {
  if (options_.budget == 0 || release.empty()) return std::numeric_limits<std::uint64_t>::max();
  TRY_ASSIGN(WanBytes used, counters_.wan(release));
  return options_.budget - std::min(options_.budget, used.payload + used.metadata);
}

Result<void> Mirror::check_budget(const std::string& release, std::uint64_t more) const {
  TRY_ASSIGN(std::uint64_t left, budget_left(release));
  if (more <= left) return ok();
  return Error{Code::kBudget,
               fmt::format("{}: {} bytes more would exceed the WAN budget of {} ({} are left)",
                           release, more, options_.budget, left)};
}

Result<void> Mirror::refresh(const std::string& release, std::stop_token stop) {
  Source source(*this, "metadata/", release, std::move(stop));
  trust::Updater updater(disk_, dir_ / "trust", source, clock_.now());
  TRY(updater.load());
  Result<void> refreshed = updater.refresh();
  // Roots that were accepted on the way are kept even if the rest failed: nodes need the whole
  // chain.
  for (const auto& [name, bytes] : source.received()) {
    bool is_root = name.ends_with(".root.json");
    if (is_root && std::atoll(name.c_str()) <= updater.version("root")) {
      TRY(disk_.replace(metadata_dir() / name, bytes));
    }
  }
  TRY(std::move(refreshed));
  // Timestamp last, so that a reader never sees a broken repository (TUF specification, section 6).
  for (const char* role : {"targets", "snapshot"}) {
    TRY_ASSIGN(Bytes bytes, updater.bytes(role));
    TRY(disk_.replace(metadata_dir() / fmt::format("{}.{}.json", updater.version(role), role),
                      bytes));
  }
  TRY_ASSIGN(Bytes timestamp, updater.bytes("timestamp"));
  return disk_.replace(metadata_dir() / "timestamp.json", timestamp);
}

Catalogue Mirror::catalogue() const {
  NoNetwork none;
  trust::Updater updater(disk_, dir_ / "trust", none, clock_.now());
  Catalogue found;
  if (!updater.load().ok()) return found;
  std::set<std::string> here;
  std::vector<trust::TargetInfo> targets = updater.targets();
  for (const trust::TargetInfo& info : targets) {
    auto present = disk_.stat(targets_dir() / updater.repository_name(info));
    if (present.ok() && present->has_value()) here.insert(info.name);
  }
  for (const trust::TargetInfo& info : targets) {
    if (!info.name.ends_with(".json")) continue;
    KnownBundle& bundle = found[info.name];
    bundle.length = info.length;
    Result<Bytes> bytes = disk_.read(targets_dir() / updater.repository_name(info), info.length);
    if (!bytes.ok() || sha256(*bytes) != info.sha256()) continue;
    Result<trust::Manifest> manifest = trust::parse_manifest(*bytes);
    if (!manifest.ok()) continue;
    bundle.mirrored = here.contains(manifest->listing_name());
    bundle.manifest = std::move(*manifest);
  }
  return found;
}

// From the mirror if it is there and whole, else from the origin into the mirror.
Result<Bytes> Mirror::target(trust::Updater& updater, const std::string& name, Source& source) {
  TRY_ASSIGN(auto info, updater.find(name));
  if (!info) return Error{Code::kNotFound, "the vendor does not list " + name};
  Path file = targets_dir() / updater.repository_name(*info);
  Result<Bytes> here = disk_.read(file, info->length);
  if (here.ok() && here->size() == info->length && sha256(*here) == info->sha256()) return here;
  TRY_ASSIGN(Bytes bytes, updater.download(*info, source));
  TRY(disk_.make_dirs(file.parent_path()));
  TRY(disk_.replace(file, bytes));
  return bytes;
}

Result<MirroredBundle> Mirror::bundle(const std::string& name, std::stop_token stop) {
  Source metadata(*this, "metadata/", name, stop);
  Source targets(*this, "targets/", name, stop);
  trust::Updater updater(disk_, dir_ / "trust", metadata, clock_.now());
  TRY(updater.load());
  MirroredBundle bundle;
  bundle.name = name;
  TRY_ASSIGN(Bytes bytes, target(updater, name, targets));
  bundle.manifest_digest = sha256(bytes);
  TRY_ASSIGN(bundle.manifest, trust::parse_manifest(bytes));
  if (bundle.manifest.target_name() != name) {
    return Error{Code::kMismatch, name + " calls itself " + bundle.manifest.target_name()};
  }
  TRY_ASSIGN(bundle.listing, target(updater, bundle.manifest.listing_name(), targets));
  if (sha256(bundle.listing) != bundle.manifest.tree) {
    return Error{Code::kMismatch, bundle.manifest.listing_name() + " is not the manifest's tree"};
  }
  // Delegated roles that named it: nodes need them too.
  for (const auto& [file, content] : metadata.received()) {
    TRY(disk_.replace(metadata_dir() / file, content));
  }
  return bundle;
}

Path Mirror::part_path(const Digest& root) const {
  return bundles_.staging(root.hex() + ".part");
}

std::optional<Mirror::Choice> Mirror::cheapest(const trust::Manifest& manifest) const {
  std::optional<Choice> best;
  for (const trust::Delivery& delivery : manifest.deliveries) {
    if (!bundles_.has_tree(delivery.base)) continue;
    std::uint64_t have = 0;
    auto present = disk_.stat(part_path(delivery.root));
    if (present.ok() && present->has_value()) have = std::min((*present)->size, delivery.length);
    auto held = bundles_.route(delivery.base, delivery.target);
    if (held && held->root == delivery.root) have = delivery.length;
    std::uint64_t remaining = delivery.length - have;
    if (!best || remaining < best->remaining) best = Choice{delivery, remaining};
  }
  return best;
}

Result<void> Mirror::fetch_delivery(const trust::Delivery& delivery, const std::string& release,
                                    const std::function<void(std::uint64_t)>& progress,
                                    std::stop_token stop) {
  auto held = bundles_.route(delivery.base, delivery.target);
  if (held && held->root == delivery.root) return ok();
  Path part = part_path(delivery.root);
  TRY_ASSIGN(auto present, disk_.stat(part));
  std::uint64_t have = present ? present->size : 0;
  if (have > delivery.length) {
    TRY(disk_.remove(part));
    have = 0;
  }
  TRY(check_budget(release, delivery.length - have));
  std::uint64_t before = origin_.bytes_received();
  Result<void> came = origin_.download("deliveries/" + delivery.root.hex(), delivery.length, part,
                                       {options_.max_bytes_per_second, progress, std::move(stop)});
  TRY(counters_.add_wan(release, {origin_.bytes_received() - before, 0}));
  if (!came.ok())
    return came.error().with(
        fmt::format("fetching the delivery for {} (deliveries/{})", release, delivery.root.hex()));
  Result<void> adopted = bundles_.adopt_delivery(part, delivery);
  if (!adopted.ok() && adopted.error().code == Code::kMismatch) (void)disk_.remove(part).ok();
  return adopted;
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

Result<void> Mirror::supply(const MirroredBundle& bundle,
                            const std::function<void(std::uint64_t)>& progress,
                            std::stop_token stop) {
  if (bundles_.has_tree(bundle.manifest.tree)) return ok();
  while (true) {  // each time round there is a base less
    std::optional<Choice> choice = cheapest(bundle.manifest);
    if (!choice) {
      return Error{Code::kNotFound,
                   bundle.name + ": no signed delivery starts from a tree that this site holds"};
    }
    TRY(fetch_delivery(choice->delivery, bundle.name, progress, stop));
    Result<void> applied = apply(choice->delivery, bundle, stop);
    if (applied.ok() || applied.error().code == Code::kCancelled ||
        applied.error().code == Code::kNoSpace) {
      return applied;
    }
    TRY_ASSIGN(bool forgotten, forget_if_damaged(choice->delivery.base, stop));
    if (!forgotten) return applied;
  }
}

}  // namespace lineside::seeder
