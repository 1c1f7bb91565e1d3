// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/merkle.h"

#include <gtest/gtest.h>

#include <libtorrent/create_torrent.hpp>
#include <libtorrent/file_storage.hpp>
#include <random>

#include "tests/fakes/temp_dir.h"

namespace lineside::trust {
namespace {

Bytes random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes data(size);
  for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
  return data;
}

std::vector<Digest> leaves_of(BytesView data) {
  MerkleHasher hasher;
  hasher.update(data);
  return hasher.finish();
}

Digest root_by_libtorrent(const fakes::TempDir& dir, BytesView data) {
  dir.write("file", std::string(as_text(data)));
  lt::file_storage files;
  files.add_file("file", static_cast<std::int64_t>(data.size()));
  lt::create_torrent torrent(files, 16 << 10, lt::create_torrent::v2_only);
  lt::set_piece_hashes(torrent, dir.path().string());
  lt::sha256_hash root = torrent.files().root(lt::file_index_t{0});
  if (root.is_all_zeros()) {  // libtorrent 2.0.8 fills it in generate() only
    lt::entry made = torrent.generate();
    std::string text = made["info"]["file tree"]["file"][""]["pieces root"].string();
    std::copy(text.begin(), text.end(), root.begin());
  }
  Digest digest;
  std::copy(root.begin(), root.end(), digest.bytes.begin());
  return digest;
}

TEST(Merkle, RootIsThatOfLibtorrent) {
  for (std::size_t size : {1UL, 100UL, 16384UL, 16385UL, 32768UL, 50000UL, 81920UL, 1200000UL}) {
    fakes::TempDir dir;
    Bytes data = random_bytes(size, static_cast<unsigned>(size));
    EXPECT_EQ(root_of(leaves_of(data)).hex(), root_by_libtorrent(dir, data).hex()) << size;
  }
}

TEST(Merkle, OneLeafIsItsOwnRootAtItsRealLength) {
  Bytes data = random_bytes(1000, 1);
  EXPECT_EQ(root_of(leaves_of(data)), sha256(data));
}

TEST(Merkle, NothingHasTheHashOfNothing) {
  EXPECT_TRUE(leaves_of({}).empty());
  EXPECT_EQ(root_of({}), sha256({}));
}

// Why a length stands beside every root and is compared first.
TEST(Merkle, RootDoesNotBindALength) {
  Bytes file = random_bytes(2 * kLeafBytes, 2);
  std::vector<Digest> leaves = leaves_of(file);
  Bytes forged(leaves[0].bytes.begin(), leaves[0].bytes.end());
  forged.insert(forged.end(), leaves[1].bytes.begin(), leaves[1].bytes.end());
  ASSERT_EQ(forged.size(), 64U);
  EXPECT_EQ(root_of(leaves_of(forged)), root_of(leaves));
}

TEST(Merkle, PortionsDoNotMatter) {
  Bytes data = random_bytes(100000, 3);
  MerkleHasher hasher;
  std::mt19937 random(4);
  for (BytesView rest = data; !rest.empty();) {
    BytesView part = rest.first(std::min<std::size_t>(rest.size(), 1 + random() % 20000));
    hasher.update(part);
    rest = rest.subspan(part.size());
  }
  EXPECT_EQ(hasher.length(), data.size());
  EXPECT_EQ(hasher.finish(), leaves_of(data));
}

TEST(Merkle, LayerLeadsToTheSameRoot) {
  std::vector<Digest> leaves = leaves_of(random_bytes(11 * kLeafBytes + 5, 5));  // 12 leaves
  EXPECT_EQ(layer_at(leaves, kLeafBytes), leaves);
  std::vector<Digest> pieces = layer_at(leaves, 4 * kLeafBytes);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[1], root_of(std::span(leaves).subspan(4, 4)));
  EXPECT_EQ(layer_at(leaves, 16 * kLeafBytes), std::vector<Digest>{root_of(leaves)});
}

TEST(Merkle, LayerOfNoPowerOfTwoIsEmpty) {
  std::vector<Digest> leaves = leaves_of(random_bytes(100, 6));
  EXPECT_TRUE(layer_at(leaves, 3 * kLeafBytes).empty());
  EXPECT_TRUE(layer_at(leaves, kLeafBytes / 2).empty());
  EXPECT_TRUE(layer_at(leaves, 0).empty());
}

TEST(Merkle, FileIsHashedAlikeByAnyNumberOfThreads) {
  fakes::TempDir dir;
  Bytes data = random_bytes(3'500'001, 7);
  dir.write("file", std::string(as_text(data)));
  auto disk = make_posix_disk();
  auto file = disk->open(dir / "file");
  ASSERT_TRUE(file.ok());
  for (unsigned threads : {0U, 1U, 2U, 7U}) {
    auto facts = hash_file(**file, threads, KeepLeaves::kYes);
    ASSERT_TRUE(facts.ok());
    EXPECT_EQ(facts->length, data.size());
    EXPECT_EQ(facts->leaves, leaves_of(data));
    EXPECT_EQ(facts->root, root_of(leaves_of(data)));
  }
  auto slim = hash_file(**file, 2);
  ASSERT_TRUE(slim.ok());
  EXPECT_TRUE(slim->leaves.empty());
}

TEST(Merkle, FileThatShrinksIsAMismatch) {
  fakes::TempDir dir;
  dir.write("file", std::string(5000, 'x'));
  auto disk = make_posix_disk();
  auto file = disk->open(dir / "file");
  ASSERT_TRUE(file.ok());
  dir.write("file", "short");
  auto facts = hash_file(**file, 1);
  ASSERT_FALSE(facts.ok());
  EXPECT_EQ(facts.error().code, Code::kMismatch);
}

}  // namespace
}  // namespace lineside::trust
