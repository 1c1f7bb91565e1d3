// SPDX-License-Identifier: Apache-2.0
// Keys in a TPM, through tpm2-openssl's provider. Private to this folder's .cc files.
//
// A key of that provider signs only if every caller asks for its provider by name, which TLS and
// X.509 do not: they would take its public half to the default provider and find no private one. So
// it is given out behind an EC_KEY with a method of ours, which OpenSSL leaves where it is.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "proto/base/result.h"

namespace lineside::trust::tpm {

// The codes of open_token_key and make_tpm_key.
Result<std::shared_ptr<EVP_PKEY>> open_key(std::string_view pem);
Result<std::string> make_key();

}  // namespace lineside::trust::tpm
