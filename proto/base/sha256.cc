// SPDX-License-Identifier: Apache-2.0
#include "proto/base/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace lineside {

// EVP is asked only for SHA-256 over memory; it fails only if OpenSSL itself is broken, and then
// nothing that we verify could be believed.
static void must(int status) {
  if (status != 1) std::abort();
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  must(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(BytesView data) {
  must(EVP_DigestUpdate(state_->context, data.data(), data.size()));
}

Digest Sha256::finish() {
  Digest digest;
  must(EVP_DigestFinal_ex(state_->context, digest.bytes.data(), nullptr));
  return digest;
}

Digest sha256(BytesView data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

Result<Digest> Digest::parse(std::string_view hex) {
  if (hex.size() != 64) {
    return Error{Code::kMalformed, "a SHA-256 digest has 64 hexadecimal digits, this has " +
                                       std::to_string(hex.size())};
  }
  TRY_ASSIGN(Bytes raw, from_hex(hex));
  Digest digest;
  std::copy(raw.begin(), raw.end(), digest.bytes.begin());
  return digest;
}

std::size_t DigestHash::operator()(const Digest& digest) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, digest.bytes.data(), sizeof value);
  return value;
}

}  // namespace lineside
