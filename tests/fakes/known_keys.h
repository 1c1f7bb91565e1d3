// SPDX-License-Identifier: Apache-2.0
// Private keys whose value does not change from run to run.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/trust/keys.h"

namespace lineside::fakes {

// Ed25519 from its seed: 64 hexadecimal digits.
inline trust::PrivateKey ed25519_from_seed(std::string_view seed_hex) {
  // PKCS#8 up to the seed, RFC 8410 section 7.
  auto der = from_hex("302e020100300506032b657004220420" + std::string(seed_hex));
  if (!der.ok()) throw std::runtime_error(der.error().describe());
  auto key = trust::PrivateKey::from_pem(
      "-----BEGIN PRIVATE KEY-----\n" + to_base64(*der) + "\n-----END PRIVATE KEY-----\n",
      std::nullopt);
  if (!key.ok()) throw std::runtime_error(key.error().describe());
  return std::move(key).value();
}

}  // namespace lineside::fakes
