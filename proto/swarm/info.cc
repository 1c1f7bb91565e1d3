// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/info.h"

#include <string>

namespace lineside::swarm {
namespace {

// Bencoding (BEP 3): the caller keeps the keys of a dictionary in bytewise order.
void put(Bytes& out, std::string_view raw) {
  out.insert(out.end(), raw.begin(), raw.end());
}
void put_text(Bytes& out, std::string_view text) {
  put(out, std::to_string(text.size()) + ":");
  put(out, text);
}
void put_number(Bytes& out, std::uint64_t number) {
  put(out, "i" + std::to_string(number) + "e");
}

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
  return value / by + (value % by == 0 ? 0 : 1);
}

}  // namespace

std::uint32_t piece_length(std::uint64_t length) {
  std::uint32_t piece = kBlockBytes;
  while (piece < kMaxPieceBytes && divide_up(length, piece) > kMaxPieces) piece *= 2;
  return piece;
}

std::uint64_t piece_count(std::uint64_t length) {
  return divide_up(length, piece_length(length));
}

std::uint64_t block_count(std::uint64_t length) {
  return divide_up(length, kBlockBytes);
}

Bytes info_dictionary(const DeliveryFacts& facts) {
  const std::string name = facts.root.hex();
  Bytes out;
  put(out, "d");
  put_text(out, "file tree");
  put(out, "d");
  put_text(out, name);
  put(out, "d0:d");
  put_text(out, "length");
  put_number(out, facts.length);
  put_text(out, "pieces root");
  put_text(out, as_text(facts.root.bytes));
  put(out, "eee");
  put_text(out, "meta version");
  put_number(out, 2);
  put_text(out, "name");
  put_text(out, name);
  put_text(out, "piece length");
  put_number(out, piece_length(facts.length));
  put(out, "e");
  return out;
}

Digest info_hash(const DeliveryFacts& facts) {
  return sha256(info_dictionary(facts));
}

}  // namespace lineside::swarm
