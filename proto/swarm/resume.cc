// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/resume.h"

#include <algorithm>

namespace lineside::swarm {
namespace {

constexpr std::string_view kMagic = "LSRESUM1";
constexpr std::size_t kHeaderBytes = 8 + 32 + 8;
constexpr std::size_t kDigestBytes = 32;

Bytes header(const DeliveryFacts& facts) {
  Bytes out = to_bytes(kMagic);
  out.insert(out.end(), facts.root.bytes.begin(), facts.root.bytes.end());
  for (unsigned i = 0; i < 8; ++i) {
    out.push_back(static_cast<std::uint8_t>(facts.length >> (8 * i)));
  }
  return out;
}

}  // namespace

std::uint64_t resume_bytes(const DeliveryFacts& facts) {
  return kHeaderBytes + (piece_count(facts.length) + 7) / 8 + kDigestBytes;
}

Bytes encode_resume(const DeliveryFacts& facts, const Pieces& pieces) {
  Bytes out = header(facts);
  out.resize(kHeaderBytes + (pieces.size() + 7) / 8);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i]) out[kHeaderBytes + i / 8] |= static_cast<std::uint8_t>(0x80U >> (i % 8));
  }
  const Digest check = sha256(out);
  out.insert(out.end(), check.bytes.begin(), check.bytes.end());
  return out;
}

Result<Pieces> decode_resume(BytesView bytes, const DeliveryFacts& facts) {
  if (bytes.size() < kHeaderBytes + kDigestBytes || as_text(bytes.first(kMagic.size())) != kMagic) {
    return Error{Code::kMalformed, "resume data: expected LSRESUM1 and at least 80 bytes, found " +
                                       std::to_string(bytes.size()) + " bytes"};
  }
  const BytesView body = bytes.first(bytes.size() - kDigestBytes);
  if (!std::ranges::equal(sha256(body).bytes, bytes.last(kDigestBytes))) {
    return Error{Code::kMalformed, "resume data: the checksum in the last 32 bytes is wrong"};
  }
  if (!std::ranges::equal(header(facts), body.first(kHeaderBytes))) {
    return Error{Code::kMismatch, "resume data: of another delivery"};
  }
  if (bytes.size() != resume_bytes(facts)) {
    return Error{Code::kMalformed, "resume data: expected " + std::to_string(resume_bytes(facts)) +
                                       " bytes, found " + std::to_string(bytes.size())};
  }
  Pieces pieces(piece_count(facts.length));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    pieces[i] = (body[kHeaderBytes + i / 8] & (0x80U >> (i % 8))) != 0;
  }
  return pieces;
}

}  // namespace lineside::swarm
