// SPDX-License-Identifier: Apache-2.0
// The one place where signatures of TUF files are counted, for top-level and delegated roles alike
// (5.3.4, 5.4.2, 5.5.3, 5.6.3). A second copy of this function was another client's CVE-2026-6966.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "proto/trust/tuf/metadata.h"

namespace lineside::trust::tuf {

// The ids of the role's keys whose signatures over `file` hold. One public key counts once, even if
// it is listed under two ids; a signature that does not hold is skipped.
std::set<std::string> valid_signers(const KeyRing& keys, const RoleKeyIds& role,
                                    const Envelope& file);

// kBadSignature if fewer than the threshold signed, or the threshold is 0.
Result<void> verify_signatures(const KeyRing& keys, const RoleKeyIds& role, const Envelope& file,
                               std::string_view name);

// Length and hashes as far as `meta` has them, over the raw bytes (5.5.2, 5.6.2). kMismatch.
Result<void> verify_meta(const MetaFile& meta, BytesView bytes, std::string_view name);

}  // namespace lineside::trust::tuf
