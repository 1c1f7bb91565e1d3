// SPDX-License-Identifier: Apache-2.0
// PEM texts (RFC 7468): public keys, and private keys as PKCS#8 (RFC 5958), encrypted or not.
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>

#include "proto/trust/openssl_key.h"

namespace lineside::trust::openssl {
namespace {

// scrypt (RFC 7914) with 16 MiB, what `openssl pkcs8 -scrypt` does: the most that OpenSSL reads
// back without being told to allow more.
constexpr std::uint64_t kScryptN = 16384;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
constexpr int kSaltBytes = 16;

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using PrivateInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>>;
using Encrypted = std::unique_ptr<X509_SIG, FreeWith<X509_SIG_free>>;

Error failure(Code code, std::string what) {
  ERR_clear_error();
  return {code, std::move(what)};
}

// Erased when it goes: it may hold a private key.
struct Block {
  std::string label;
  Bytes der;
  Block() = default;
  Block(Block&&) noexcept = default;
  Block& operator=(Block&&) noexcept = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { OPENSSL_cleanse(der.data(), der.size()); }
};

Result<Block> read_block(std::string_view pem) {
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(pem.size(), 65536))));
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;
  if (PEM_read_bio(bio.get(), &label, &header, &data, &length) != 1) {
    return failure(Code::kMalformed, "not a PEM text");
  }
  Block block;
  block.label = label;
  block.der.assign(data, data + length);
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(length));
  return block;
}

Result<PrivateInfo> decrypt(const Block& block, std::optional<std::string_view> passphrase) {
  if (!passphrase) return Error{Code::kDenied, "the private key needs a passphrase"};
  const unsigned char* at = block.der.data();
  Encrypted encrypted(d2i_X509_SIG(nullptr, &at, static_cast<long>(block.der.size())));
  if (encrypted == nullptr) return failure(Code::kMalformed, "not an encrypted PKCS#8 key");
  PrivateInfo info(
      PKCS8_decrypt(encrypted.get(), passphrase->data(), static_cast<int>(passphrase->size())));
  if (info == nullptr)
    return failure(Code::kDenied, "the passphrase does not open the private key");
  return info;
}

Result<PrivateInfo> read_private_info(const Block& block,
                                      std::optional<std::string_view> passphrase) {
  if (block.label == "ENCRYPTED PRIVATE KEY") return decrypt(block, passphrase);
  if (block.label != "PRIVATE KEY") {
    return Error{Code::kUnsupported, "expected a PKCS#8 private key, found " + block.label};
  }
  const unsigned char* at = block.der.data();
  PrivateInfo info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(block.der.size())));
  if (info == nullptr) return failure(Code::kMalformed, "not a PKCS#8 key");
  return info;
}

Result<Encrypted> encrypt(PKCS8_PRIV_KEY_INFO* info, std::string_view passphrase) {
  X509_ALGOR* algorithm = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, kSaltBytes, nullptr,
                                                kScryptN, kScryptR, kScryptP);
  Encrypted encrypted;
  if (algorithm != nullptr) {
    encrypted.reset(PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()), info,
                                   algorithm));  // owns the algorithm when it succeeds
    if (encrypted == nullptr) X509_ALGOR_free(algorithm);
  }
  if (encrypted == nullptr) return failure(Code::kInternal, "OpenSSL does not encrypt the key");
  return encrypted;
}

}  // namespace

Result<Bytes> decode_public_pem(std::string_view pem) {
  TRY_ASSIGN(Block block, read_block(pem));
  if (block.label != "PUBLIC KEY") {
    return Error{Code::kMalformed, "expected a PEM of a PUBLIC KEY, found " + block.label};
  }
  return block.der;
}

Result<Pkey> load_private_pem(std::string_view pem, std::optional<std::string_view> passphrase) {
  TRY_ASSIGN(Block block, read_block(pem));
  TRY_ASSIGN(PrivateInfo info, read_private_info(block, passphrase));
  Pkey key(EVP_PKCS82PKEY(info.get()));
  if (key == nullptr) return failure(Code::kUnsupported, "a private key of an unknown type");
  return key;
}

Result<std::string> store_private_pem(EVP_PKEY* key, std::optional<std::string_view> passphrase) {
  PrivateInfo info(EVP_PKEY2PKCS8(key));
  Bio bio(BIO_new(BIO_s_secmem()));
  bool written = false;
  if (info != nullptr && passphrase) {
    TRY_ASSIGN(Encrypted encrypted, encrypt(info.get(), *passphrase));
    written = PEM_write_bio_PKCS8(bio.get(), encrypted.get()) == 1;
  } else if (info != nullptr) {
    written = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), info.get()) == 1;
  }
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  if (!written || length <= 0) return failure(Code::kInternal, "OpenSSL does not write the key");
  return std::string(text, static_cast<std::size_t>(length));
}

}  // namespace lineside::trust::openssl
