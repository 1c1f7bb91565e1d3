// SPDX-License-Identifier: Apache-2.0
// Fresh private keys as PEM text.
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>

#include "proto/http/identity.h"

namespace lineside::fakes {

inline std::string to_pem(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, cipher ? password : nullptr, cipher ? 6 : 0,
                                nullptr, nullptr);
  char* text = nullptr;
  long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

inline std::string ed25519_pem(const EVP_CIPHER* cipher = nullptr) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  return to_pem(key.get(), cipher);
}

inline std::string ec_pem(const char* curve) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen(curve), EVP_PKEY_free);
  return to_pem(key.get());
}

inline http::Identity new_identity(const std::string& name) {
  return http::Identity::make(ed25519_pem(), name).value();
}

}  // namespace lineside::fakes
