// SPDX-License-Identifier: Apache-2.0
// Keys: Ed25519 and ECDSA P-256 sign and verify, RSA-PSS (>= 2048 bit) only verifies.
//
// Key ids are TUF's: SHA-256 over the canonical JSON of the key object (specification 4.2.1),
// always computed here, never believed. All cryptography is OpenSSL's EVP.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::trust {

enum class Scheme { kEd25519, kEcdsaP256Sha256, kRsaPssSha256, kUnknown };

// Immutable and cheap to copy. Any thread.
class PublicKey {
 public:
  // A TUF key object {keytype, scheme, keyval:{public}}. A key whose type or scheme is unknown is
  // kept: it has an id and verifies nothing. kMalformed for a known type whose value is no key.
  static Result<PublicKey> from_tuf(const nlohmann::json& key);
  // DER SubjectPublicKeyInfo, as TLS certificates carry it. kUnsupported for other key types.
  static Result<PublicKey> from_spki(BytesView der);
  // PEM "PUBLIC KEY".
  static Result<PublicKey> from_pem(std::string_view pem);

  [[nodiscard]] const std::string& keyid() const;  // 64 hexadecimal digits
  [[nodiscard]] Scheme scheme() const;
  [[nodiscard]] nlohmann::json tuf() const;  // the object as parsed, unknown members included
  [[nodiscard]] const Bytes& spki() const;   // empty for Scheme::kUnknown
  [[nodiscard]] std::string pem() const;
  // What people compare: the first 80 bits of SHA-256(spki) in base32 (RFC 4648), "7Q2F-…" in four
  // groups of four.
  [[nodiscard]] std::string fingerprint() const;
  // False for a bad, truncated, extended or empty signature; never an error.
  [[nodiscard]] bool verify(BytesView message, BytesView signature) const;

  // The same key, whatever unknown members its TUF object has: thresholds count these.
  bool operator==(const PublicKey& other) const;

 private:
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

// Movable only. The passphrase never comes from argv: see prompt or file in the programs.
class PrivateKey {
 public:
  static Result<PrivateKey> generate(Scheme scheme);  // kUnsupported for RSA
  // PKCS#8 PEM, encrypted or not. kDenied for a wrong or missing passphrase.
  static Result<PrivateKey> from_pem(std::string_view pem,
                                     std::optional<std::string_view> passphrase);
  ~PrivateKey();
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;

  [[nodiscard]] const PublicKey& public_key() const;
  // Ed25519: 64 bytes; P-256: DER (as TUF and DSSE in the wild use it). `message` is hashed inside.
  [[nodiscard]] Result<Bytes> sign(BytesView message) const;
  // PKCS#8 PEM; with a passphrase PBES2 (AES-256-CBC, scrypt or PBKDF2).
  [[nodiscard]] Result<std::string> to_pem(std::optional<std::string_view> passphrase) const;

 private:
  struct State;
  explicit PrivateKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Who may sign something, and how many of them must. Distinct public keys count, not key ids.
struct Authority {
  std::vector<PublicKey> keys;
  unsigned threshold = 1;  // 0 is refused by every verifier
};

}  // namespace lineside::trust
