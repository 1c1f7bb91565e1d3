// SPDX-License-Identifier: Apache-2.0
// Names of keys in tokens: PKCS #11 URIs (RFC 7512), "pkcs11:token=plant;object=anna".
//
// Read are the scheme, the path as it is, and of the query `module-path`, `pin-value` and
// `pin-source`. Values are percent-decoded.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "proto/base/result.h"

namespace lineside::trust {

inline constexpr std::size_t kMaxKeyUriBytes = 4096;

// Whether `text` means a key in a token, not a file.
bool is_key_uri(std::string_view text);

struct KeyUri {
  std::string path;                          // "token=plant;object=anna", percent-encoded
  std::map<std::string, std::string> query;  // decoded

  // All of it again, percent-encoded.
  [[nodiscard]] std::string text() const;
  // The same without `module-path`: what the token is asked for.
  [[nodiscard]] std::string token_text() const;
  // For people and logs: without PIN.
  [[nodiscard]] std::string shown() const { return "pkcs11:" + path; }
  [[nodiscard]] bool has_pin() const;
};

// kUsage naming what is wrong: no such URI, a path attribute that RFC 7512 does not know, one that
// comes twice, neither `object` nor `id`, a broken percent-encoding, a query that is not read here.
Result<KeyUri> parse_key_uri(std::string_view text);

}  // namespace lineside::trust
