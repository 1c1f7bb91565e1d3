// SPDX-License-Identifier: Apache-2.0
// Private keys that never leave their token, as OpenSSL's EVP uses them. A token signs ECDSA P-256.
//
//     PKCS #11   HSM, YubiKey, SoftHSM: a key URI (key_uri.h), through libp11's engine `pkcs11`.
//     The
//                keys of one process come from one module; p11-kit's, the default, joins several
//     TPM        a PEM "TSS2 PRIVATE KEY": the key wrapped by that one TPM, through tpm2-openssl's
//                provider `tpm2`; the TPM is named by $TPM2OPENSSL_TCTI, by default the kernel's
//
// What names a key here is its *reference*. PrivateKey::from_pem and http::Identity::make take a
// reference in place of a PEM, and PrivateKey::to_pem(nullopt) gives it back: it holds no key, but
// a URI may hold a PIN, so it is kept like one and never logged.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proto/base/result.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace lineside::trust {

bool is_key_reference(std::string_view text);

// The key, alive with its token. kUsage for a URI that is none; kDenied if the token refuses (a
// wrong or missing PIN, a TPM that did not wrap this key); kNotFound if there is no such token,
// TPM, module or key; kUnsupported for a key of another kind.
Result<std::shared_ptr<evp_pkey_st>> open_token_key(std::string_view reference);

// A new P-256 key in this machine's TPM: the PEM that names it. kNotFound without provider or TPM.
Result<std::string> make_tpm_key();

}  // namespace lineside::trust
