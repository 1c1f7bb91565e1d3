// SPDX-License-Identifier: Apache-2.0
// What a signer is about to sign, in words.
#pragma once

#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::trust {

// People know each other by the names of their key files: "keys/anna.pub" is anna's. A name that a
// root may carry (is_key_name).
std::string key_name(const std::string& key_file);

// Whose root it is: at a site the role "targets" are the operators.
enum class RootOf { kVendor, kSite };

// What changes from one version of a role's metadata to the next, a line each: who may sign and how
// many must, targets that come and go, versions, ends. An empty `before`: it is the first, and all
// of it is named. kMalformed if one is no metadata, kMismatch if they are of different roles.
Result<std::vector<std::string>> describe_change(BytesView before, BytesView after,
                                                 RootOf whose = RootOf::kVendor);

}  // namespace lineside::trust
