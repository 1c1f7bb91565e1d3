// SPDX-License-Identifier: Apache-2.0
// The patch format of bsdiff 4.x, so that Debian's bspatch takes our patches and we take bsdiff's.
// Both work in memory, as those do; deliveries do not.
#pragma once

#include <cstdint>
#include <stop_token>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// kTooLarge without memory for 5 times `base`; kCancelled.
Result<Bytes> make_bsdiff40(BytesView base, BytesView target, std::stop_token stop = {});

// The new bytes. kMalformed for what is no such patch or does not fit together; kTooLarge if it
// makes more than `max_bytes`. The format names neither base nor result, so a wrong base gives
// wrong bytes.
Result<Bytes> apply_bsdiff40(BytesView base, BytesView patch, std::uint64_t max_bytes);

bool is_bsdiff40(BytesView patch);

}  // namespace lineside::delta
