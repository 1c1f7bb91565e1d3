// SPDX-License-Identifier: Apache-2.0
#include "proto/http/identity.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "proto/http/tls.h"
#include "proto/trust/token_key.h"

namespace lineside::http {
namespace {

constexpr std::size_t kMaxPemBytes = 65536;

// Never prompts on a terminal: an encrypted key is an error here.
int refuse_password(char*, int, int, void*) {
  return -1;
}

Result<std::shared_ptr<EVP_PKEY>> read_key(std::string_view pem) {
  if (trust::is_key_reference(pem)) return trust::open_token_key(pem);
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  if (!bio) return Error{Code::kInternal, tls_error("BIO_new_mem_buf")};
  std::shared_ptr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_password, nullptr), EVP_PKEY_free);
  if (!key) {
    return Error{Code::kMalformed, tls_error("not a readable, unencrypted PEM private key")};
  }
  return key;
}

Result<void> demand_supported(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return ok();
  char group[32] = {};
  if (EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
      std::string_view(group) == "prime256v1") {
    return ok();
  }
  return Error{Code::kUnsupported, "a TLS identity needs an Ed25519 or a P-256 key"};
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), (serial >> 1) | 1) == 1;
}

bool set_names(X509* certificate, std::string_view name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1;
}

bool add_extension(X509* certificate, int kind, const char* value) {
  std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value), X509_EXTENSION_free);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_extensions(X509* certificate, const std::string& alternative_names) {
  return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         (alternative_names.empty() ||
          add_extension(certificate, NID_subject_alt_name, alternative_names.c_str()));
}

std::vector<std::shared_ptr<X509>> read_certificates(std::string_view pem) {
  std::vector<std::shared_ptr<X509>> read;
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  while (bio) {
    std::shared_ptr<X509> next(PEM_read_bio_X509(bio.get(), nullptr, refuse_password, nullptr),
                               X509_free);
    if (!next) break;
    read.push_back(std::move(next));
  }
  ERR_clear_error();  // the end of the PEM text is reported as an error
  return read;
}

std::shared_ptr<X509> self_sign(EVP_PKEY* key, std::string_view name,
                                const std::string& alternative_names) {
  std::shared_ptr<X509> certificate(X509_new(), X509_free);
  if (!certificate) return nullptr;
  X509* x = certificate.get();
  const EVP_MD* hash = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256();
  // RFC 5280 section 4.1.2.5: 99991231235959Z means "no well-defined expiration".
  bool made = X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_names(x, name) &&
              ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "19700101000000Z") == 1 &&
              ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z") == 1 &&
              X509_set_pubkey(x, key) == 1 && add_extensions(x, alternative_names) &&
              X509_sign(x, key, hash) > 0;
  return made ? certificate : nullptr;
}

}  // namespace

Result<Identity> Identity::make(std::string_view private_key_pem, std::string_view common_name,
                                const std::string& alternative_names) {
  if (common_name.empty() || common_name.size() > 64) {
    return Error{Code::kUsage, "the common name of a certificate has 1 to 64 bytes"};
  }
  if (private_key_pem.size() > kMaxPemBytes)
    return Error{Code::kMalformed, "a PEM key over 64 KiB"};
  Identity identity;
  TRY_ASSIGN(identity.key_, read_key(private_key_pem));
  TRY(demand_supported(identity.key_.get()));
  identity.certificate_ = self_sign(identity.key_.get(), common_name, alternative_names);
  if (!identity.certificate_) {
    return Error{Code::kInternal, tls_error("cannot make a certificate")};
  }
  identity.public_key_ = public_key_of(identity.certificate_.get());
  return identity;
}

Result<Identity> Identity::load(std::string_view certificates_pem,
                                std::string_view private_key_pem) {
  if (certificates_pem.size() > kMaxPemBytes || private_key_pem.size() > kMaxPemBytes) {
    return Error{Code::kMalformed, "a PEM file over 64 KiB"};
  }
  Identity identity;
  TRY_ASSIGN(identity.key_, read_key(private_key_pem));
  identity.chain_ = read_certificates(certificates_pem);
  if (identity.chain_.empty()) return Error{Code::kMalformed, "no PEM certificate in it"};
  identity.certificate_ = identity.chain_.front();
  identity.chain_.erase(identity.chain_.begin());
  if (X509_check_private_key(identity.certificate_.get(), identity.key_.get()) != 1) {
    return Error{Code::kMismatch, tls_error("the key is not that of the first certificate")};
  }
  identity.public_key_ = public_key_of(identity.certificate_.get());
  return identity;
}

Result<std::string> Identity::certificates_pem() const {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  bool written = bio && PEM_write_bio_X509(bio.get(), certificate_.get()) == 1;
  for (const auto& next : chain_) {
    written = written && PEM_write_bio_X509(bio.get(), next.get()) == 1;
  }
  if (!written) return Error{Code::kInternal, tls_error("cannot write the certificate")};
  char* data = nullptr;
  long length = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(length));
}

Digest Identity::certificate_digest() const {
  unsigned char* der = nullptr;
  int length = i2d_X509(certificate_.get(), &der);
  if (length <= 0) return {};
  Digest digest = sha256({der, static_cast<std::size_t>(length)});
  OPENSSL_free(der);
  return digest;
}

Bytes public_key_of(x509_st* certificate) {
  unsigned char* der = nullptr;
  int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  Bytes key(der, der + length);
  OPENSSL_free(der);
  return key;
}

}  // namespace lineside::http
