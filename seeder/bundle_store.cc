// SPDX-License-Identifier: Apache-2.0
#include "seeder/bundle_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "proto/base/log.h"
#include "proto/trust/leaves.h"
#include "proto/trust/merkle.h"

namespace lineside::seeder {
namespace {

constexpr std::uint64_t kMaxListingBytes = 256ULL << 20;
constexpr std::uint64_t kMaxLeavesBytes = 1ULL << 30;
constexpr std::string_view kListing = ".listing";
constexpr std::string_view kPart = ".part";  // a half-fetched delivery

struct Route {
  Digest root;
  std::uint64_t length = 0;
};

Result<Route> parse_route(std::string_view text) {
  Route route;
  TRY_ASSIGN(route.root, Digest::parse(text.substr(0, 64)));
  if (text.size() < 66 || text[64] != ' ') return Error{Code::kMalformed, "route: no length"};
  auto [end, bad] = std::from_chars(text.data() + 65, text.data() + text.size(), route.length);
  if (bad != std::errc() || end != text.data() + text.size()) {
    return Error{Code::kMalformed, "route: bad length"};
  }
  return route;
}

}  // namespace

trust::TreeId empty_tree() {
  return sha256({});
}

BundleStore::BundleStore(Disk& disk, Path dir) : disk_(disk), dir_(std::move(dir)) {}

Result<void> BundleStore::prepare() {
  for (const char* folder : {"objects", "trees", "deliveries", "routes", "staging"}) {
    TRY(disk_.make_dirs(dir_ / folder));
  }
  TRY_ASSIGN(auto left, disk_.list(dir_ / "staging"));
  for (const DirEntry& entry : left) {
    // A half-fetched delivery is worth keeping: it is resumed.
    if (entry.name.ends_with(kPart)) continue;
    TRY(disk_.remove_tree(dir_ / "staging" / entry.name));
  }
  return ok();
}

Path BundleStore::object_path(const trust::Entry& entry) const {
  std::string root = entry.root.hex();
  return dir_ / "objects" / root.substr(0, 2) /
         fmt::format("{}-{}-{:o}", root, entry.length, entry.mode);
}

Path BundleStore::listing_path(const trust::TreeId& tree) const {
  return dir_ / "trees" / (tree.hex() + std::string(kListing));
}

Path BundleStore::tree_dir(const trust::TreeId& tree) const {
  return dir_ / "trees" / tree.hex();
}

Path BundleStore::route_path(const trust::TreeId& base, const trust::TreeId& target) const {
  return dir_ / "routes" / (base.hex() + "-" + target.hex());
}

Path BundleStore::delivery_path(const Digest& root) const {
  return dir_ / "deliveries" / root.hex();
}

Path BundleStore::leaves_path(const Digest& root) const {
  return dir_ / "deliveries" / (root.hex() + ".leaves");
}

Path BundleStore::staging(const std::string& name) const {
  return dir_ / "staging" / name;
}

bool BundleStore::has_tree(const trust::TreeId& tree) const {
  if (tree == empty_tree()) return true;
  Result<std::optional<FileInfo>> info = disk_.stat(listing_path(tree));
  return info.ok() && info->has_value();
}

Result<std::vector<trust::TreeId>> BundleStore::trees() const {
  TRY_ASSIGN(auto entries, disk_.list(dir_ / "trees"));
  std::vector<trust::TreeId> found;
  for (const DirEntry& entry : entries) {
    if (!entry.name.ends_with(kListing)) continue;
    Result<Digest> tree = Digest::parse(entry.name.substr(0, entry.name.size() - kListing.size()));
    if (tree.ok()) found.push_back(*tree);
  }
  return found;
}

Result<trust::Listing> BundleStore::listing(const trust::TreeId& tree) const {
  if (tree == empty_tree()) return trust::Listing{};
  TRY_ASSIGN(Bytes bytes, disk_.read(listing_path(tree), kMaxListingBytes));
  return trust::parse_listing(bytes);
}

// What has an object's name is its bytes only if they say so: a disk can fail after it was written.
Result<bool> BundleStore::is_whole(const Path& object, const trust::Entry& entry) const {
  TRY_ASSIGN(auto input, disk_.open(object));
  if (input->size() != entry.length) return false;
  TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*input, 2));
  return facts.root == entry.root;
}

Result<void> BundleStore::share_object(const Path& file, const trust::Entry& entry) {
  Path object = object_path(entry);
  TRY_ASSIGN(auto held, disk_.stat(object));
  if (!held) {
    TRY(disk_.make_dirs(object.parent_path()));
    return disk_.share(file, object);
  }
  TRY_ASSIGN(auto present, disk_.stat(file));
  if (present && present->inode == held->inode) return ok();
  Result<bool> whole = is_whole(object, entry);
  if (!whole.ok() || !*whole) {
    log(Level::kWarning, "object is damaged: replaced by what was just built",
        {{"object", object.string()}, {"file", entry.path}});
    TRY(disk_.remove(object));
    return disk_.share(file, object);
  }
  TRY(disk_.remove(file));
  return disk_.share(object, file);
}

Result<void> BundleStore::adopt_tree(const Path& built, BytesView listing) {
  TRY_ASSIGN(trust::Listing entries, trust::parse_listing(listing));
  trust::TreeId tree = sha256(listing);
  if (has_tree(tree)) return disk_.remove_tree(built);
  for (const trust::Entry& entry : entries.entries) {
    if (entry.type == trust::EntryType::kFile) TRY(share_object(built / entry.path, entry));
  }
  TRY(disk_.sync_tree(built));
  TRY(disk_.remove_tree(tree_dir(tree)));
  TRY(disk_.rename(built, tree_dir(tree)));
  return disk_.replace(listing_path(tree), listing);
}

// The listing first: without it the tree is not there.
Result<void> BundleStore::forget_tree(const trust::TreeId& tree) {
  TRY(disk_.remove(listing_path(tree)));
  return disk_.remove_tree(tree_dir(tree));
}

Result<void> BundleStore::forget_delivery(const trust::Delivery& delivery) {
  TRY(disk_.remove(route_path(delivery.base, delivery.target)));
  return disk_.remove(delivery_path(delivery.root));
}

std::optional<trust::Delivery> BundleStore::route(const trust::TreeId& base,
                                                  const trust::TreeId& target) const {
  Result<Bytes> text = disk_.read(route_path(base, target), 256);
  if (!text.ok()) return std::nullopt;
  Result<Route> route = parse_route(as_text(*text));
  if (!route.ok()) return std::nullopt;
  return trust::Delivery{base, target, route->length, route->root};
}

Result<std::vector<Digest>> BundleStore::leaves(const Digest& root) const {
  TRY_ASSIGN(Bytes bytes, disk_.read(leaves_path(root), kMaxLeavesBytes));
  return trust::parse_leaves(bytes);
}

Result<void> BundleStore::adopt_delivery(const Path& file, const trust::Delivery& delivery) {
  TRY_ASSIGN(auto input, disk_.open(file));
  if (input->size() != delivery.length) {
    return Error{Code::kMismatch, fmt::format("delivery {}: {} bytes instead of {}",
                                              delivery.root.hex(), input->size(), delivery.length)};
  }
  TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*input, 2, trust::KeepLeaves::kYes));
  if (facts.root != delivery.root) {
    return Error{Code::kMismatch,
                 fmt::format("delivery {}: its root is {}", delivery.root.hex(), facts.root.hex())};
  }
  input.reset();
  TRY(disk_.replace(leaves_path(delivery.root), trust::serialise_leaves(facts.leaves)));
  TRY_ASSIGN(auto writable, disk_.reopen(file));
  TRY(writable->sync());
  TRY(disk_.rename(file, delivery_path(delivery.root)));
  std::string route = fmt::format("{} {}", delivery.root.hex(), delivery.length);
  return disk_.replace(route_path(delivery.base, delivery.target), as_bytes(route));
}

Result<void> BundleStore::free_file(const Path& file, std::uint64_t& count, Collected& collected) {
  TRY_ASSIGN(auto info, disk_.stat(file));
  if (!info) return ok();
  TRY(disk_.remove(file));
  collected.bytes += info->size;
  ++count;
  return ok();
}

Result<void> BundleStore::collect_trees(const Kept& keep, Collected& collected) {
  TRY_ASSIGN(auto held, trees());
  for (const trust::TreeId& tree : held) {
    if (keep.trees.contains(tree)) continue;
    TRY(forget_tree(tree));
    ++collected.trees;
  }
  return ok();
}

// The roots of the deliveries that a remaining route needs.
Result<std::set<std::string>> BundleStore::collect_routes(const Kept& keep) {
  auto kept = [&](std::string_view hex) {
    Result<Digest> tree = Digest::parse(hex);
    return tree.ok() && (*tree == empty_tree() || keep.trees.contains(*tree));
  };
  std::set<std::string> needed;
  TRY_ASSIGN(auto routes, disk_.list(dir_ / "routes"));
  for (const DirEntry& entry : routes) {
    std::string_view name = entry.name;
    Result<Bytes> text = disk_.read(dir_ / "routes" / entry.name, 256);
    Result<Route> route = text.ok() ? parse_route(as_text(*text)) : Result<Route>(text.error());
    bool between = name.size() == 129 && kept(name.substr(0, 64)) && kept(name.substr(65));
    if (route.ok() && (between || keep.deliveries.contains(route->root))) {
      needed.insert(route->root.hex());
    } else {
      TRY(disk_.remove(dir_ / "routes" / entry.name));
    }
  }
  return needed;
}

Result<void> BundleStore::collect_deliveries(const Kept& keep, Collected& collected) {
  TRY_ASSIGN(std::set<std::string> needed, collect_routes(keep));
  std::uint64_t leaves = 0;
  TRY_ASSIGN(auto files, disk_.list(dir_ / "deliveries"));
  for (const DirEntry& entry : files) {
    if (needed.contains(entry.name.substr(0, 64))) continue;
    bool whole = entry.name.size() == 64;
    TRY(free_file(dir_ / "deliveries" / entry.name, whole ? collected.deliveries : leaves,
                  collected));
  }
  return ok();
}

Result<void> BundleStore::collect_partial(const Kept& keep, Collected& collected) {
  TRY_ASSIGN(auto files, disk_.list(dir_ / "staging"));
  for (const DirEntry& entry : files) {
    if (!entry.name.ends_with(kPart)) continue;
    Result<Digest> root = Digest::parse(entry.name.substr(0, entry.name.size() - kPart.size()));
    if (root.ok() && keep.deliveries.contains(*root)) continue;
    TRY(free_file(staging(entry.name), collected.partial, collected));
  }
  return ok();
}

Result<void> BundleStore::collect_objects(Collected& collected) {
  std::set<std::string> needed;
  TRY_ASSIGN(auto held, trees());
  for (const trust::TreeId& tree : held) {
    TRY_ASSIGN(trust::Listing entries, listing(tree));
    for (const trust::Entry& entry : entries.entries) {
      if (entry.type == trust::EntryType::kFile) needed.insert(object_path(entry).filename());
    }
  }
  TRY_ASSIGN(auto folders, disk_.list(dir_ / "objects"));
  for (const DirEntry& folder : folders) {
    TRY_ASSIGN(auto objects, disk_.list(dir_ / "objects" / folder.name));
    for (const DirEntry& object : objects) {
      if (needed.contains(object.name)) continue;
      TRY(free_file(dir_ / "objects" / folder.name / object.name, collected.objects, collected));
    }
  }
  return ok();
}

Result<BundleStore::Collected> BundleStore::collect(const Kept& keep) {
  Collected collected;
  TRY(collect_trees(keep, collected));
  TRY(collect_deliveries(keep, collected));
  TRY(collect_partial(keep, collected));
  TRY(collect_objects(collected));
  return collected;
}

}  // namespace lineside::seeder
