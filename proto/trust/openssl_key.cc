// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/openssl_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace lineside::trust::openssl {
namespace {

// SubjectPublicKeyInfo up to the key itself: RFC 8410 section 4, and RFC 5480 section 2.1.1 with an
// uncompressed point.
constexpr std::array<std::uint8_t, 12> kEd25519Prefix = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 27> kP256Prefix = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr int kMinRsaBits = 2048;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeBignum {
  void operator()(BIGNUM* number) const { BN_free(number); }
};

// OpenSSL keeps its errors per thread; ours say enough, and old ones must not be read by others.
Error malformed(std::string what) {
  ERR_clear_error();
  return {Code::kMalformed, std::move(what)};
}

Result<void> append_coordinate(EVP_PKEY* key, const char* name, Bytes& out) {
  BIGNUM* raw = nullptr;
  bool have = EVP_PKEY_get_bn_param(key, name, &raw) == 1;
  std::unique_ptr<BIGNUM, FreeBignum> number(raw);
  std::array<std::uint8_t, 32> bytes{};
  if (!have || BN_bn2binpad(number.get(), bytes.data(), bytes.size()) != 32) {
    return malformed("an EC key without a point");
  }
  out.insert(out.end(), bytes.begin(), bytes.end());
  return ok();
}

// A point can be written compressed or not and a curve by name or by its parameters: two spellings
// of one key must not count as two keys.
Result<Bytes> p256_spki(EVP_PKEY* key) {
  Bytes out(kP256Prefix.begin(), kP256Prefix.end());
  TRY(append_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, out));
  TRY(append_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, out));
  return out;
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1 &&
         std::string_view(name.data(), length) == "prime256v1";
}

Result<Scheme> scheme_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return Scheme::kEd25519;
  if (is_p256(key)) return Scheme::kEcdsaP256Sha256;
  ERR_clear_error();
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    if (EVP_PKEY_get_bits(key) >= kMinRsaBits) return Scheme::kRsaPssSha256;
    return Error{Code::kUnsupported, "an RSA key of less than 2048 bits"};
  }
  return Error{Code::kUnsupported, "a key that is neither Ed25519 nor ECDSA P-256 nor RSA"};
}

Result<Bytes> encode_spki(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int length = i2d_PUBKEY(key, &der);
  if (length <= 0) return malformed("a key that cannot be encoded");
  Bytes out(der, der + length);
  OPENSSL_free(der);
  return out;
}

Result<Pkey> decode_spki(BytesView der) {
  const unsigned char* at = der.data();
  Pkey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || at != der.data() + der.size()) {
    return malformed("not a SubjectPublicKeyInfo");
  }
  return key;
}

const EVP_MD* digest_of(Scheme scheme) {
  return scheme == Scheme::kEd25519 ? nullptr : EVP_sha256();  // Ed25519 hashes by itself
}

}  // namespace

// Over its encoding, since a key in a token does not tell its coordinates.
Result<Bytes> spki_of(EVP_PKEY* key) {
  TRY_ASSIGN(Bytes der, encode_spki(key));
  TRY_ASSIGN(Pkey plain, decode_spki(der));
  if (is_p256(plain.get())) return p256_spki(plain.get());
  return der;
}

Result<PublicMaterial> load_spki(BytesView der) {
  PublicMaterial material;
  TRY_ASSIGN(material.key, decode_spki(der));
  TRY_ASSIGN(material.scheme, scheme_of(material.key.get()));
  TRY_ASSIGN(material.spki, spki_of(material.key.get()));
  TRY_ASSIGN(material.key, decode_spki(material.spki));
  return material;
}

Result<PublicMaterial> load_ed25519(BytesView raw) {
  if (raw.size() != 32) return malformed("an Ed25519 public key has 32 bytes");
  Bytes spki(kEd25519Prefix.begin(), kEd25519Prefix.end());
  spki.insert(spki.end(), raw.begin(), raw.end());
  return load_spki(spki);
}

Bytes raw_ed25519(BytesView spki) {
  return {spki.begin() + static_cast<std::ptrdiff_t>(kEd25519Prefix.size()), spki.end()};
}

std::string encode_public_pem(BytesView spki) {
  std::string text = to_base64(spki);
  std::string out = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) out += text.substr(at, 64) + "\n";
  return out + "-----END PUBLIC KEY-----\n";
}

bool verify(EVP_PKEY* key, Scheme scheme, BytesView message, BytesView signature) {
  std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // owned by context
  bool ready = EVP_DigestVerifyInit(context.get(), &options, digest_of(scheme), nullptr, key) == 1;
  if (ready && scheme == Scheme::kRsaPssSha256) {
    ready = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_sha256()) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) > 0;
  }
  // Exactly 1: a broken signature can also make it return a negative number.
  bool good = ready && EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                        message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<Bytes> sign(EVP_PKEY* key, Scheme scheme, BytesView message) {
  std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  // The bound is asked of the key: a token cannot say it in the middle of signing.
  int bound = EVP_PKEY_get_size(key);
  Bytes out(bound > 0 ? static_cast<std::size_t>(bound) : 0);
  std::size_t length = out.size();
  if (out.empty() ||
      EVP_DigestSignInit(context.get(), nullptr, digest_of(scheme), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), out.data(), &length, message.data(), message.size()) != 1) {
    return Error{Code::kInternal, "OpenSSL does not sign with this key: " + reasons()};
  }
  out.resize(length);  // DER signatures are often shorter than the bound
  return out;
}

std::string reasons() {
  std::string words;
  while (unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (reason != nullptr) words += (words.empty() ? "" : "; ") + std::string(reason);
  }
  return words.empty() ? "no reason given" : words;
}

Result<Pkey> generate(Scheme scheme) {
  Pkey key;
  if (scheme == Scheme::kEd25519) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  } else if (scheme == Scheme::kEcdsaP256Sha256) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  } else {
    return Error{Code::kUnsupported, "keys are made as Ed25519 or ECDSA P-256"};
  }
  if (key != nullptr) return key;
  ERR_clear_error();
  return Error{Code::kInternal, "OpenSSL makes no key"};
}

}  // namespace lineside::trust::openssl
