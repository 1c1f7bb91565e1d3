// SPDX-License-Identifier: Apache-2.0
// The few things that keys.h needs of OpenSSL's EVP. Private to this folder's .cc files.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/trust/keys.h"

namespace lineside::trust::openssl {

// A deleter of std::unique_ptr: OpenSSL's own function for the type.
template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

struct PublicMaterial {
  Pkey key;
  Scheme scheme = Scheme::kUnknown;
  Bytes spki;  // one key has one encoding here, whatever form it came in
};

// DER SubjectPublicKeyInfo. kMalformed, kUnsupported for other types, curves or short RSA.
Result<PublicMaterial> load_spki(BytesView der);
// 32 raw bytes (RFC 8032 section 5.1.5).
Result<PublicMaterial> load_ed25519(BytesView raw);
// The last 32 bytes of an Ed25519 SPKI.
Bytes raw_ed25519(BytesView spki);

// "-----BEGIN PUBLIC KEY-----" to DER and back.
Result<Bytes> decode_public_pem(std::string_view pem);
std::string encode_public_pem(BytesView spki);

bool verify(EVP_PKEY* key, Scheme scheme, BytesView message, BytesView signature);
Result<Bytes> sign(EVP_PKEY* key, Scheme scheme, BytesView message);

Result<Pkey> generate(Scheme scheme);
Result<Pkey> load_private_pem(std::string_view pem, std::optional<std::string_view> passphrase);
Result<std::string> store_private_pem(EVP_PKEY* key, std::optional<std::string_view> passphrase);
Result<Bytes> spki_of(EVP_PKEY* key);

// What OpenSSL has to say about the last failure, for people; it forgets it thereby.
std::string reasons();

}  // namespace lineside::trust::openssl
