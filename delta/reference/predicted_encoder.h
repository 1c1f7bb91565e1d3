// SPDX-License-Identifier: Apache-2.0
// Covers with predicted references, for making a delivery.
#pragma once

#include <optional>
#include <stop_token>

#include "delta/cover_encoder.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// The streams of the whole target, or nullopt if the buffers hold no executables whose references
// are understood. kCancelled.
Result<std::optional<CoverStreams>> predicted_streams(BytesView base, BytesView target, int effort,
                                                      std::stop_token stop);

}  // namespace lineside::delta
