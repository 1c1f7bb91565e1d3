// SPDX-License-Identifier: Apache-2.0
// The covers that look cheapest.
#pragma once

#include <stop_token>
#include <vector>

#include "delta/covers.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// kCancelled, kTooLarge.
Result<std::vector<Cover>> search_covers(BytesView base, BytesView target, int effort,
                                         std::stop_token stop);

}  // namespace lineside::delta
