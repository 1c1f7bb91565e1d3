// SPDX-License-Identifier: Apache-2.0
#include "node/check/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lineside::node {
namespace {

bool same_bytes(const Tensor& a, const Tensor& b, std::uint64_t index) {
  std::size_t size = dtype_size(a.dtype);
  return std::memcmp(a.data.data() + index * size, b.data.data() + index * size, size) == 0;
}

bool close(double a, double b, const runtime::Tolerance& tolerance) {
  if (std::isnan(a) || std::isnan(b)) return tolerance.equal_nan && std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::fabs(a - b) <= tolerance.atol + tolerance.rtol * std::fabs(b);
}

void note(Comparison& result, std::uint64_t index, double found, const std::string& expected) {
  if (result.differing++ == 0) {
    result.why = fmt::format("element {}: {:.9g}, expected {}", index, found, expected);
  }
}

void finish(Comparison& result, std::uint64_t count) {
  result.close = result.differing == 0;
  if (!result.close) {
    result.why += fmt::format(" ({} of {} elements differ, largest difference {:.3g})",
                              result.differing, count, result.max_difference);
  }
}

}  // namespace

Comparison compare(const Tensor& output, const Tensor& golden,
                   const runtime::Tolerance& tolerance) {
  Comparison result;
  if (output.dtype != golden.dtype || output.shape != golden.shape) {
    result.differing = 1;
    result.why = output.describe() + ", expected " + golden.describe();
    return result;
  }
  bool exact = !is_float(output.dtype);
  for (std::uint64_t i = 0; i < output.count(); ++i) {
    double a = output.as_double(i);
    double b = golden.as_double(i);
    double difference = std::fabs(a - b);
    if (std::isfinite(difference)) {
      result.max_difference = std::max(result.max_difference, difference);
    }
    bool good = exact ? same_bytes(output, golden, i) : close(a, b, tolerance);
    if (!good) note(result, i, a, fmt::format("{:.9g}", b));
  }
  finish(result, output.count());
  return result;
}

Comparison within(const Tensor& output, const runtime::Bounds& bounds) {
  Comparison result;
  for (std::uint64_t i = 0; i < output.count(); ++i) {
    double a = output.as_double(i);
    if (bounds.max && !(a <= *bounds.max)) {
      if (std::isfinite(a))
        result.max_difference = std::max(result.max_difference, a - *bounds.max);
      note(result, i, a, fmt::format("at most {:.9g}", *bounds.max));
    } else if (bounds.min && !(a >= *bounds.min)) {
      if (std::isfinite(a))
        result.max_difference = std::max(result.max_difference, *bounds.min - a);
      note(result, i, a, fmt::format("at least {:.9g}", *bounds.min));
    }
  }
  finish(result, output.count());
  return result;
}

}  // namespace lineside::node
