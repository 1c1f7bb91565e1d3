// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/info.h"

#include <gtest/gtest.h>

#include <libtorrent/load_torrent.hpp>
#include <libtorrent/torrent_info.hpp>

namespace lineside::swarm {
namespace {

DeliveryFacts facts(std::uint64_t length) {
  return {sha256(as_bytes(std::to_string(length))), length};
}

TEST(Info, DictionaryIsTheDocumentedBytes) {
  const DeliveryFacts given = facts(70000);
  const std::string name = given.root.hex();
  const std::string root(as_text(given.root.bytes));
  EXPECT_EQ(as_text(info_dictionary(given)),
            "d9:file treed64:" + name + "d0:d6:lengthi70000e11:pieces root32:" + root +
                "eee12:meta versioni2e4:name64:" + name + "12:piece lengthi16384ee");
}

class InfoLengths : public testing::TestWithParam<std::uint64_t> {};

TEST_P(InfoLengths, LibtorrentReadsTheSameHashNameAndPieces) {
  const DeliveryFacts given = facts(GetParam());
  const std::string torrent = "d4:info" + std::string(as_text(info_dictionary(given))) + "e";
  const lt::add_torrent_params params = lt::load_torrent_buffer(torrent);
  EXPECT_FALSE(params.info_hashes.has_v1());
  ASSERT_TRUE(params.info_hashes.has_v2());
  EXPECT_EQ(params.info_hashes.v2.to_string(), std::string(as_text(info_hash(given).bytes)));
  const lt::file_storage& files = params.ti->files();
  EXPECT_EQ(files.file_size(lt::file_index_t{0}), static_cast<std::int64_t>(given.length));
  EXPECT_FALSE(files.pad_file_at(lt::file_index_t{0}));
  // libtorrent fills the last piece up with a pad file of its own.
  for (int i = 1; i < files.num_files(); ++i) EXPECT_TRUE(files.pad_file_at(lt::file_index_t{i}));
  EXPECT_FALSE(params.ti->priv());
  EXPECT_EQ(params.ti->piece_length(), static_cast<int>(piece_length(given.length)));
  EXPECT_EQ(params.ti->num_pieces(), static_cast<int>(piece_count(given.length)));
  EXPECT_EQ(files.root(lt::file_index_t{0}).to_string(), std::string(as_text(given.root.bytes)));
}
INSTANTIATE_TEST_SUITE_P(Edges, InfoLengths,
                         testing::Values(1, 16383, 16384, 16385, 64ULL << 20, (64ULL << 20) + 1,
                                         1ULL << 30, 16ULL << 30, (16ULL << 30) + 1, kMaxLength));

TEST(Info, PieceLengthDoublesOnlyToStayWithin4096Pieces) {
  EXPECT_EQ(piece_length(1), 16U << 10);
  EXPECT_EQ(piece_length(64ULL << 20), 16U << 10);
  EXPECT_EQ(piece_length((64ULL << 20) + 1), 32U << 10);
  EXPECT_EQ(piece_length(1ULL << 30), 256U << 10);
  EXPECT_EQ(piece_length(16ULL << 30), 4U << 20);
  EXPECT_EQ(piece_length(64ULL << 30), 4U << 20);
}

TEST(Info, AnotherLengthIsAnotherSwarm) {
  const Digest root = sha256(as_bytes("root"));
  EXPECT_NE(info_hash({root, 20000}), info_hash({root, 20001}));
}

}  // namespace
}  // namespace lineside::swarm
