// SPDX-License-Identifier: Apache-2.0
// From a unit of a delivery to its bytes, in bounded memory: one decoder a stream and one step
// buffer.
#pragma once

#include <cstdint>
#include <functional>

#include "delta/base_bytes.h"
#include "delta/format.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::delta {

// Takes the unit's bytes in order. An error ends the decoding and is passed on.
using Sink = std::function<Result<void>(BytesView)>;

// kMalformed for streams that make no sense, kMismatch if a window has another hash than the index
// says (base or delivery is damaged); else the codes of `base`, `delivery` and `sink`.
Result<void> decode_unit(const Unit& unit, const InputFile& delivery, BaseBytes& base,
                         const Sink& sink);

}  // namespace lineside::delta
