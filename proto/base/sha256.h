// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) and the 32-byte digest that names things everywhere in Lineside.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proto/base/bytes.h"

namespace lineside {

// 32 bytes. There is no "absent" digest: use std::optional<Digest>. (An empty hash that counted as
// "no check" was another updater's CVE-2025-67903.)
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  [[nodiscard]] std::string hex() const { return to_hex(bytes); }
  // Exactly 64 hexadecimal digits, else kMalformed.
  static Result<Digest> parse(std::string_view hex);
  auto operator<=>(const Digest&) const = default;
};

// Of a whole buffer.
Digest sha256(BytesView data);

// Streaming. One thread at a time; finish() once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(BytesView data);
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// For unordered containers: a digest is already uniform.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept;
};

}  // namespace lineside
