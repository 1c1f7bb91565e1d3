// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/merkle.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <optional>
#include <thread>

namespace lineside::trust {
namespace {

constexpr std::uint64_t kPortionBytes = 1ULL << 20;

Digest hash_pair(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 64> both;
  std::copy(left.bytes.begin(), left.bytes.end(), both.begin());
  std::copy(right.bytes.begin(), right.bytes.end(), both.begin() + 32);
  return sha256(both);
}

// One layer up. `padding` is the hash of a node of this layer that covers padding alone.
std::vector<Digest> parents(std::span<const Digest> layer, const Digest& padding) {
  std::vector<Digest> above;
  above.reserve((layer.size() + 1) / 2);
  for (std::size_t i = 0; i < layer.size(); i += 2) {
    above.push_back(hash_pair(layer[i], i + 1 < layer.size() ? layer[i + 1] : padding));
  }
  return above;
}

// The leaves of one portion, written to their places.
Result<void> hash_portion(const InputFile& file, std::uint64_t offset, Bytes& buffer,
                          std::span<Digest> leaves) {
  std::uint64_t want = std::min(kPortionBytes, file.size() - offset);
  buffer.resize(want);
  TRY_ASSIGN(std::size_t got, file.read_at(offset, buffer));
  if (got != want) return Error{Code::kMismatch, "the file became shorter while it was read"};
  std::size_t index = offset / kLeafBytes;
  for (std::uint64_t at = 0; at < want; at += kLeafBytes) {
    leaves[index++] = sha256(BytesView(buffer).subspan(at, std::min(kLeafBytes, want - at)));
  }
  return ok();
}

}  // namespace

void MerkleHasher::update(BytesView data) {
  while (!data.empty()) {
    std::uint64_t room = kLeafBytes - length_ % kLeafBytes;
    BytesView part = data.first(std::min<std::uint64_t>(room, data.size()));
    leaf_.update(part);
    length_ += part.size();
    data = data.subspan(part.size());
    if (length_ % kLeafBytes == 0) end_leaf();
  }
}

std::vector<Digest> MerkleHasher::finish() {
  if (length_ % kLeafBytes != 0) end_leaf();
  return std::move(leaves_);
}

void MerkleHasher::end_leaf() {
  leaves_.push_back(leaf_.finish());
  leaf_ = Sha256();
}

Digest root_of(std::span<const Digest> leaves) {
  if (leaves.empty()) return sha256({});
  std::vector<Digest> layer(leaves.begin(), leaves.end());
  Digest padding;
  while (layer.size() > 1) {
    layer = parents(layer, padding);
    padding = hash_pair(padding, padding);
  }
  return layer.front();
}

std::vector<Digest> layer_at(std::span<const Digest> leaves, std::uint64_t piece_length) {
  if (!std::has_single_bit(piece_length) || piece_length < kLeafBytes) return {};
  std::vector<Digest> layer(leaves.begin(), leaves.end());
  Digest padding;
  for (std::uint64_t covers = kLeafBytes; covers < piece_length; covers *= 2) {
    layer = parents(layer, padding);
    padding = hash_pair(padding, padding);
  }
  return layer;
}

Result<FileFacts> hash_file(const InputFile& file, unsigned threads, KeepLeaves keep) {
  FileFacts facts{file.size(), {}, {}};
  facts.leaves.resize((facts.length + kLeafBytes - 1) / kLeafBytes);
  std::uint64_t portions = (facts.length + kPortionBytes - 1) / kPortionBytes;
  std::atomic<std::uint64_t> next = 0;
  std::mutex mutex;
  std::optional<Error> failure;
  auto work = [&] {
    Bytes buffer;
    for (std::uint64_t i = next++; i < portions; i = next++) {
      Result<void> done = hash_portion(file, i * kPortionBytes, buffer, facts.leaves);
      if (done.ok()) continue;
      std::lock_guard lock(mutex);
      failure = done.error();
      next = portions;
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::uint64_t i = 1; i < std::min<std::uint64_t>(threads, portions); ++i) {
      others.emplace_back(work);
    }
    work();
  }
  if (failure) return *failure;
  facts.root = root_of(facts.leaves);
  if (keep == KeepLeaves::kNo) facts.leaves = {};
  return facts;
}

}  // namespace lineside::trust
