// SPDX-License-Identifier: Apache-2.0
// Trees and deliveries on the gateway's disk.
//
//     DIR/objects/9f/ROOT-LENGTH-MODE   every distinct file once
//     DIR/trees/TREE.listing            the signed listing, as received
//     DIR/trees/TREE/…                  the tree, its files shared with objects/
//     DIR/deliveries/ROOT               a delivery; ROOT.leaves beside it, 32 bytes a leaf
//     DIR/routes/BASE-TARGET            "ROOT LENGTH": the delivery that takes BASE to TARGET
//     DIR/staging/…                     unfinished work; emptied at start
//
// An object's name carries length and mode because a root binds neither, and hard links share
// modes. A tree is there if its listing is there: the listing is renamed into place last. The same
// holds for a delivery and its route. The empty tree is always there. Not thread-safe: the supply's
// worker owns it; const calls may run beside each other.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"
#include "proto/trust/manifest.h"

namespace lineside::seeder {

// The TreeId of the empty tree: SHA-256 of nothing.
trust::TreeId empty_tree();

class BundleStore {
 public:
  // `disk` outlives it.
  BundleStore(Disk& disk, Path dir);
  // Makes the folders and empties staging.
  Result<void> prepare();

  [[nodiscard]] bool has_tree(const trust::TreeId& tree) const;
  [[nodiscard]] Result<std::vector<trust::TreeId>> trees() const;  // without the empty one
  [[nodiscard]] Path tree_dir(const trust::TreeId& tree) const;
  // kNotFound if it is not held.
  [[nodiscard]] Result<trust::Listing> listing(const trust::TreeId& tree) const;
  // Takes over a complete tree at `built` (a folder below staging()). `listing` is its listing's
  // bytes, which the caller has compared with the files already. (durable)
  Result<void> adopt_tree(const Path& built, BytesView listing);

  // It is damaged: not held any more. Who reads it meanwhile gets errors.
  Result<void> forget_tree(const trust::TreeId& tree);

  // Its file is damaged: not held any more.
  Result<void> forget_delivery(const trust::Delivery& delivery);

  // The delivery that takes base to target, if one is held.
  [[nodiscard]] std::optional<trust::Delivery> route(const trust::TreeId& base,
                                                     const trust::TreeId& target) const;
  [[nodiscard]] Path delivery_path(const Digest& root) const;
  [[nodiscard]] Path leaves_path(const Digest& root) const;
  [[nodiscard]] Result<std::vector<Digest>> leaves(const Digest& root) const;
  // Takes over a delivery file at `file` after comparing it with length and root (kMismatch), and
  // keeps its leaves. (durable)
  Result<void> adopt_delivery(const Path& file, const trust::Delivery& delivery);

  // A path in staging/ for unfinished work that may survive a restart if `name` says which.
  [[nodiscard]] Path staging(const std::string& name) const;

  struct Collected {
    std::uint64_t trees = 0;
    std::uint64_t deliveries = 0;
    std::uint64_t objects = 0;
    std::uint64_t partial = 0;  // half-fetched deliveries
    std::uint64_t bytes = 0;    // of deliveries, objects and half-fetched ones
    bool operator==(const Collected&) const = default;
  };
  // What stays. The empty tree always does.
  struct Kept {
    std::set<trust::TreeId> trees;  // and the deliveries between them
    std::set<Digest> deliveries;    // others, by root: what is carried, what may be resumed
  };
  // Removes everything else, and objects that no tree needs. Not while anything reads or builds
  // one of those trees.
  Result<Collected> collect(const Kept& keep);

 private:
  [[nodiscard]] Path object_path(const trust::Entry& entry) const;
  [[nodiscard]] Path listing_path(const trust::TreeId& tree) const;
  [[nodiscard]] Path route_path(const trust::TreeId& base, const trust::TreeId& target) const;
  [[nodiscard]] Result<bool> is_whole(const Path& object, const trust::Entry& entry) const;
  Result<void> share_object(const Path& file, const trust::Entry& entry);
  Result<void> collect_trees(const Kept& keep, Collected& collected);
  Result<std::set<std::string>> collect_routes(const Kept& keep);
  Result<void> collect_deliveries(const Kept& keep, Collected& collected);
  Result<void> collect_partial(const Kept& keep, Collected& collected);
  Result<void> collect_objects(Collected& collected);
  Result<void> free_file(const Path& file, std::uint64_t& count, Collected& collected);

  Disk& disk_;
  Path dir_;
};

}  // namespace lineside::seeder
