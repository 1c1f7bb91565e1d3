// SPDX-License-Identifier: Apache-2.0
// Reads NumPy's .npy files (format versions 1.0, 2.0 and 3.0; numpy/lib/format.py is the
// definition).
//
// The header is a Python dictionary literal, of which exactly this is taken:
//     {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }
// Pickled objects, strings, structured and big-endian types are kUnsupported: nothing in a probe's
// output is ever executed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::node {

enum class Dtype {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64
};

std::string_view dtype_name(Dtype dtype);  // "float32"
std::size_t dtype_size(Dtype dtype);       // bytes
bool is_float(Dtype dtype);

struct Tensor {
  Dtype dtype = Dtype::kFloat32;
  std::vector<std::uint64_t> shape;  // empty for a scalar
  Bytes data;                        // little-endian, C order, exactly count() elements

  [[nodiscard]] std::uint64_t count() const;
  // Element `index` in C order. as_double() is exact for everything but 64-bit integers.
  [[nodiscard]] double as_double(std::uint64_t index) const;
  [[nodiscard]] std::string describe() const;  // "float32 (1, 3)"
  bool operator==(const Tensor&) const = default;
};

inline constexpr std::uint64_t kMaxTensorBytes = 256ULL << 20;
inline constexpr std::size_t kMaxDimensions = 16;

// kMalformed with place and reason; kUnsupported for types that are not numbers; kTooLarge past
// kMaxTensorBytes or kMaxDimensions. Fortran order is turned into C order.
Result<Tensor> parse_npy(BytesView file, std::string_view name);
// Format 1.0, C order.
Bytes serialise_npy(const Tensor& tensor);

}  // namespace lineside::node
