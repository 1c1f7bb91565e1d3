// SPDX-License-Identifier: Apache-2.0
// Who speaks on a TLS connection: a private key, and the certificate that carries its public half.
//
// The certificate is self-signed, made in memory and valid from 1970 to 9999: it vouches for
// nothing. Authority comes from the key being pinned (by the roster on the gateway, by the site's
// configuration on a node), so a device whose clock is wrong is not locked out and nothing has to
// be renewed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY
struct x509_st;      // OpenSSL's X509

namespace lineside::http {

// Immutable after make(); copies share the key. Any thread.
class Identity {
 public:
  // `private_key_pem`: unencrypted PKCS#8 (or SEC1), Ed25519 or P-256. `common_name`: 1 to 64
  // bytes, shown in tools and logs only. kMalformed if the PEM cannot be read (an encrypted one
  // included), kUnsupported for another kind of key, kUsage for the name, kInternal if OpenSSL
  // fails.
  // `alternative_names`: the subjectAltName in OpenSSL's form, "IP:192.0.2.1,DNS:gateway", for
  // browsers; empty for none.
  static Result<Identity> make(std::string_view private_key_pem, std::string_view common_name,
                               const std::string& alternative_names = {});

  // A certificate that was made elsewhere, followed by those that vouch for it, and its key, of any
  // kind that TLS 1.3 takes. kMalformed if either cannot be read, kMismatch if they do not belong
  // together.
  static Result<Identity> load(std::string_view certificates_pem, std::string_view private_key_pem);

  // What load() takes. kInternal.
  [[nodiscard]] Result<std::string> certificates_pem() const;
  // SHA-256 of the certificate's DER, as browsers show it.
  [[nodiscard]] Digest certificate_digest() const;

  // DER SubjectPublicKeyInfo, what the other side pins.
  [[nodiscard]] const Bytes& public_key() const { return public_key_; }

  // For the TLS contexts of this module; borrowed, valid while the Identity lives.
  [[nodiscard]] evp_pkey_st* key() const { return key_.get(); }
  [[nodiscard]] x509_st* certificate() const { return certificate_.get(); }
  [[nodiscard]] const std::vector<std::shared_ptr<x509_st>>& chain() const { return chain_; }

 private:
  Identity() = default;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
  std::vector<std::shared_ptr<x509_st>> chain_;  // without the certificate itself
  Bytes public_key_;
};

// DER SubjectPublicKeyInfo of a certificate; empty if it cannot be encoded.
Bytes public_key_of(x509_st* certificate);

}  // namespace lineside::http
