// SPDX-License-Identifier: Apache-2.0
// Buffers rewritten so that code that only moved looks the same on both sides. For matching alone:
// nothing of this travels.
#pragma once

#include <span>
#include <vector>

#include "delta/covers.h"
#include "delta/reference/layout.h"
#include "delta/reference/reference.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// All references of a buffer, in ascending order.
Result<std::vector<Reference>> all_references(const Layout& layout, BytesView bytes);

// Operands are set to zero. Entries of relocation tables keep their distance from the one before,
// or nothing would be left to align them by.
Bytes masked(BytesView bytes, const Layout& layout, std::span<const Reference> references);

struct LabelledPair {
  Bytes base;
  Bytes target;
};
// Operands become the new addresses of what they mean: in the target the true ones, in the base the
// ones that `covers` predict. `layout` is that of the pair.
LabelledPair labelled(BytesView base, BytesView target, const Layout& layout,
                      std::span<const Reference> base_references,
                      std::span<const Reference> target_references, std::span<const Cover> covers);

}  // namespace lineside::delta
