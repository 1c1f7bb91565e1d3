// SPDX-License-Identifier: Apache-2.0
// The comparison that decides whether a runtime still infers: numpy.allclose, made here and not in
// the runtime under test, which could not be believed about itself. Pure.
#pragma once

#include <string>

#include "node/check/npy.h"
#include "proto/runtime/probe_spec.h"

namespace lineside::node {

struct Comparison {
  bool close = false;
  double max_difference = 0;  // largest finite |a-b| seen
  std::uint64_t differing = 0;
  std::string why;  // the first difference in words; empty if close
};

// |a-b| <= atol + rtol*|b| for every element, b being the golden one. Type and shape must match.
// NaN equals nothing, and NaN only with equal_nan; infinities equal themselves. Integers and bools
// must be equal exactly.
Comparison compare(const Tensor& output, const Tensor& golden, const runtime::Tolerance& tolerance);

// Every element within the bounds; NaN is within none.
Comparison within(const Tensor& output, const runtime::Bounds& bounds);

}  // namespace lineside::node
