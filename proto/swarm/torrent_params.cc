// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/torrent_params.h"

#include <bit>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/torrent_flags.hpp>

#include "proto/trust/leaves.h"

namespace lineside::swarm {
namespace {

// The whole leaf layer, so that every block can be checked alone and no hash is ever asked for. The
// mask covers a full binary tree, root first; libtorrent checks the leaves against the root again.
void set_leaves(lt::add_torrent_params& params, std::span<const Digest> leaves) {
  const std::size_t width = std::bit_ceil(leaves.size());
  std::vector<bool> mask(2 * width - 1, false);
  std::vector<lt::sha256_hash> tree;
  tree.reserve(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    mask[width - 1 + i] = true;
    tree.emplace_back(reinterpret_cast<const char*>(leaves[i].bytes.data()));
  }
  params.merkle_trees.resize(1);
  params.merkle_trees[lt::file_index_t{0}] = std::move(tree);
  params.merkle_tree_mask.resize(1);
  params.merkle_tree_mask[lt::file_index_t{0}] = std::move(mask);
}

}  // namespace

Result<void> check_length(const DeliveryFacts& facts) {
  if (facts.length > 0 && facts.length <= kMaxLength) return ok();
  return Error{Code::kUsage, "delivery " + facts.root.hex() + ": a length of " +
                                 std::to_string(facts.length) + " bytes"};
}

Result<void> check_leaves(const DeliveryFacts& facts, std::span<const Digest> leaves) {
  auto good = trust::verify_leaves(leaves, facts.length, facts.root);
  return good.ok() ? good : good.error().with("delivery " + facts.root.hex());
}

Result<lt::add_torrent_params> torrent_params(const DeliveryFacts& facts, const Path& file,
                                              std::span<const Digest> leaves) {
  const Bytes info = info_dictionary(facts);
  const std::string torrent = "d4:info" + std::string(as_text(info)) + "e";
  try {
    lt::add_torrent_params params = lt::load_torrent_buffer(torrent);
    set_leaves(params, leaves);
    params.save_path = file.parent_path().empty() ? "." : file.parent_path().string();
    params.renamed_files[lt::file_index_t{0}] = file.filename().string();
    // Not auto-managed: which deliveries run is decided elsewhere. DHT and peer exchange are off
    // for the session as well.
    params.flags = lt::torrent_flags::apply_ip_filter | lt::torrent_flags::disable_dht |
                   lt::torrent_flags::disable_pex | lt::torrent_flags::duplicate_is_error;
    return params;
  } catch (const std::exception& problem) {
    return Error{Code::kInternal, "delivery " + facts.root.hex() + ": " + problem.what()};
  }
}

}  // namespace lineside::swarm
