// SPDX-License-Identifier: Apache-2.0
// The covers of a segment whose references are predicted, for applying. README.md, "Prediction".
#pragma once

#include <memory>

#include "delta/base_bytes.h"
#include "delta/cover_source.h"
#include "delta/format.h"
#include "proto/base/result.h"

namespace lineside::delta {

// Reads layout and covers of the segment, which is its unit's only one, and gives the bytes of its
// covers as they are predicted. `delivery` and `base` must outlive the source.
Result<std::unique_ptr<CoverSource>> open_predicted(const InputFile& delivery,
                                                    const Segment& segment,
                                                    std::uint64_t base_length, std::uint64_t length,
                                                    BaseBytes& base);

// What such a source takes in memory, the decoders of the streams not counted;
// `length_bytes` and `layout_bytes` are what those streams hold.
std::uint64_t predicted_memory(std::uint64_t length_bytes, std::uint64_t layout_bytes,
                               std::uint64_t base_length);

}  // namespace lineside::delta
