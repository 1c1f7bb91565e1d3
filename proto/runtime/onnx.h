// SPDX-License-Identifier: Apache-2.0
// The head of an ONNX model (ModelProto in onnx.proto3), read without its weights: which
// intermediate representation and operator sets a runtime must know to load it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "proto/base/disk.h"
#include "proto/runtime/pep440.h"

namespace lineside::runtime {

struct OnnxFacts {
  std::int64_t ir_version = 0;
  std::string producer_name;
  std::string producer_version;
  std::map<std::string, std::int64_t> opsets;  // domain to version; "" is called "ai.onnx"

  bool operator==(const OnnxFacts&) const = default;
};

// Reads the few KiB around the graph, which is skipped. kMalformed for what is not a whole protobuf
// message, or one without an IR version and operator sets; kTooLarge for more than 4096 fields.
Result<OnnxFacts> read_onnx(const InputFile& file);

// The newest IR version that this release of onnxruntime loads; none for releases not known here.
// Measured: 1.14.0 takes 8, 1.17.0 takes 9, 1.20.1 takes 10; the steps between as the release notes
// say which ONNX release each was built with.
std::optional<std::int64_t> onnxruntime_max_ir(const Version& release);

}  // namespace lineside::runtime
