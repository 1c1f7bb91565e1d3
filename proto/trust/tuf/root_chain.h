// SPDX-License-Identifier: Apache-2.0
// Who holds a role by a root, and who held it by the roots before: for what was signed before a
// rotation. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/trust/keys.h"
#include "proto/trust/tuf/metadata.h"

namespace lineside::trust::tuf {

// The keys and threshold of a top-level role; kNotFound.
Result<Authority> authority_of(const Root& root, std::string_view role);

// The same by each root of a chain, in its order: consecutive versions, each verified by the one
// before it, the first by itself alone (5.2, 5.3.4). Codes of TrustedSet.
Result<std::vector<Authority>> authorities_of(const std::vector<Bytes>& chain,
                                              std::string_view role, UtcTime now);

}  // namespace lineside::trust::tuf
