// SPDX-License-Identifier: Apache-2.0
// OpenSSL 3 calls EC_KEY methods deprecated, and has nothing else for a key that another one signs
// for.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/trust/tpm_key.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "proto/trust/openssl_key.h"

namespace lineside::trust::tpm {
namespace {

constexpr const char* kProvider = "?provider=tpm2";

using Bio = std::unique_ptr<BIO, openssl::FreeWith<BIO_free_all>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, openssl::FreeWith<EVP_PKEY_CTX_free>>;
using EcKey = std::unique_ptr<EC_KEY, openssl::FreeWith<EC_KEY_free>>;

// Loaded once and kept: it holds the connection to the TPM. A TPM is slow and no better at hashing:
// everything but its keys stays with the default provider.
Result<void> load_provider() {
  if (OSSL_PROVIDER_available(nullptr, "tpm2") == 1) return ok();
  if (OSSL_PROVIDER_load(nullptr, "default") == nullptr ||
      EVP_set_default_properties(nullptr, "?provider=default") != 1) {
    return Error{Code::kInternal, "OpenSSL's default provider: " + openssl::reasons()};
  }
  if (OSSL_PROVIDER_load(nullptr, "tpm2") != nullptr) return ok();
  return Error{Code::kNotFound, "no TPM (" + openssl::reasons() +
                                    "); install tpm2-openssl, and see that /dev/tpmrm0 is there "
                                    "and may be used"};
}

int refuse_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

// The slot of an EC_KEY in which the TPM's key hangs: a number that OpenSSL gives once.
void drop_inner(void* /*parent*/, void* inner, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                long /*argl*/, void* /*argp*/) {
  EVP_PKEY_free(static_cast<EVP_PKEY*>(inner));
}
int inner_slot() {
  static const int slot = EC_KEY_get_ex_new_index(0, nullptr, nullptr, nullptr, drop_inner);
  return slot;
}

// ECDSA_sign() of an EC_KEY that stands for a TPM's key: `digest` is signed there.
int sign_there(int /*type*/, const unsigned char* digest, int digest_length, unsigned char* out,
               unsigned int* out_length, const BIGNUM* /*kinv*/, const BIGNUM* /*r*/,
               EC_KEY* outer) {
  auto* inner = static_cast<EVP_PKEY*>(EC_KEY_get_ex_data(outer, inner_slot()));
  Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, inner, kProvider));
  std::size_t length = static_cast<std::size_t>(ECDSA_size(outer));
  if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_sign(context.get(), out, &length, digest, static_cast<std::size_t>(digest_length)) !=
          1) {
    return 0;
  }
  *out_length = static_cast<unsigned int>(length);
  return 1;
}

const EC_KEY_METHOD* signing_there() {
  static const EC_KEY_METHOD* const method = [] {
    EC_KEY_METHOD* made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY_METHOD_set_sign(made, sign_there, nullptr, nullptr);
    return made;
  }();
  return method;
}

// An EC_KEY with the public half of `inner`, which signs with `inner`.
Result<std::shared_ptr<EVP_PKEY>> stand_for(openssl::Pkey inner) {
  TRY_ASSIGN(Bytes spki, openssl::spki_of(inner.get()));
  const unsigned char* at = spki.data();
  EcKey outer(d2i_EC_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  std::shared_ptr<EVP_PKEY> key(EVP_PKEY_new(), EVP_PKEY_free);
  if (outer == nullptr || EC_KEY_set_method(outer.get(), signing_there()) != 1 ||
      EC_KEY_set_ex_data(outer.get(), inner_slot(), inner.get()) != 1) {
    return Error{Code::kUnsupported, "a TPM's key that is not ECDSA: " + openssl::reasons()};
  }
  (void)inner.release();  // freed with `outer`
  if (EVP_PKEY_set1_EC_KEY(key.get(), outer.get()) != 1) {
    return Error{Code::kInternal, "a TPM's key: " + openssl::reasons()};
  }
  return key;
}

}  // namespace

Result<std::shared_ptr<EVP_PKEY>> open_key(std::string_view pem) {
  TRY(load_provider());
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  openssl::Pkey key(
      PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, refuse_password, nullptr, nullptr, kProvider));
  if (key == nullptr) {
    return Error{Code::kDenied,
                 "the TPM does not take this key: " + openssl::reasons() +
                     ". A key belongs to the TPM that made it; a device with another TPM needs a "
                     "new key and is enrolled anew"};
  }
  return stand_for(std::move(key));
}

Result<std::string> make_key() {
  TRY(load_provider());
  openssl::Pkey key(EVP_PKEY_Q_keygen(nullptr, "provider=tpm2", "EC", "P-256"));
  if (key == nullptr) return Error{Code::kNotFound, "the TPM makes no key: " + openssl::reasons()};
  Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Error{Code::kInternal, "the TPM's key cannot be written: " + openssl::reasons()};
  }
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(length));
}

}  // namespace lineside::trust::tpm
