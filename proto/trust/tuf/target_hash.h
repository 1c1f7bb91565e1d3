// SPDX-License-Identifier: Apache-2.0
// The hashes that TUF lists for files: SHA-256 and SHA-512.
#pragma once

#include <map>
#include <string>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::trust::tuf {

// Every algorithm that we know must match, and one at least must be known: kMismatch, kUnsupported.
Result<void> verify_hashes(const std::map<std::string, std::string>& hashes, BytesView bytes);

}  // namespace lineside::trust::tuf
