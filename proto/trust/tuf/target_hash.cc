// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/target_hash.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

namespace lineside::trust::tuf {
namespace {

Bytes digest(const EVP_MD* algorithm, BytesView bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  // Fails only if OpenSSL itself is broken; then nothing could be believed.
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, algorithm, nullptr) != 1) {
    std::abort();
  }
  return {out.data(), out.data() + length};
}

const EVP_MD* known(const std::string& algorithm) {
  if (algorithm == "sha256") return EVP_sha256();
  if (algorithm == "sha512") return EVP_sha512();
  return nullptr;
}

}  // namespace

Result<void> verify_hashes(const std::map<std::string, std::string>& hashes, BytesView bytes) {
  bool compared = false;
  for (const auto& [name, hex] : hashes) {
    const EVP_MD* algorithm = known(name);
    if (algorithm == nullptr) continue;
    TRY_ASSIGN(Bytes expected, from_hex(hex));
    if (digest(algorithm, bytes) != expected) {
      return Error{Code::kMismatch, "the " + name + " differs from the signed one"};
    }
    compared = true;
  }
  if (compared) return ok();
  return Error{Code::kUnsupported, "no hash that this build knows (sha256, sha512)"};
}

}  // namespace lineside::trust::tuf
