// SPDX-License-Identifier: Apache-2.0
// Do the parts of a bundle fit each other and the device? One pass over the facts, no solver: each
// requirement is looked up and compared, and what does not hold is a finding with both facts.
//
// Findings come sorted: errors before warnings before what was waived, and among errors those first
// that kill inference most surely. The line that began this product reads
//
//   tensorflow 2.8.0 requires numpy>=1.20, the bundle holds numpy 1.19.5
//
// Rules, by weight:
//   dep-version          a package needs another version of a package that is there
//   dep-missing          a package needs a package that is not there
//   python-abi           built for another Python than the tree's
//   requires-python      says itself that it does not run on the tree's Python
//   elf-machine          machine code for another processor
//   elf-version          needs a newer glibc, libstdc++ or library than there is
//   cpu-level            needs a higher x86-64 level than the device has
//   elf-needed           needs a shared library that is nowhere
//   model-ir             an ONNX model newer than the onnxruntime in the tree loads
//   (a matrix rule's id) the operator's compatibility matrix forbids it
//   dist-duplicate       two versions of one package
//   record-mismatch      a file is not the one that its package installed
//   record-missing-file  a file that its package installed is gone
//   unreadable           a file that should have been a fact could not be read
//   python-unknown       packages, but no Python to compare them with
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/runtime/inventory.h"
#include "proto/runtime/matrix.h"
#include "proto/runtime/waiver.h"

namespace lineside::runtime {

enum class Severity { kError, kWarning, kWaived };

struct Finding {
  std::string rule;
  Severity severity = Severity::kError;
  std::string subject;  // what a waiver names: "tensorflow->numpy", or a path, package or rule id
  std::string message;  // one line
  std::string fact_a;   // what is required, e.g. "tensorflow 2.8.0 requires numpy>=1.20"
  std::string fact_b;   // what is there, e.g. "numpy 1.19.5"
  std::string advice;   // may be empty
  std::optional<Waiver> waiver;  // the one that applies, or the one that ran out
};

struct AuditOptions {
  // What the device (or its firmware) provides where the tree does not show it: "__glibc" = "2.36",
  // "__libstdcxx", "__cxxabi", "__arch", "__cpu" = "x86-64-v2", "firmware" = "4.3.0", anything that
  // matrix rules ask for. What was measured from the tree wins.
  std::map<std::string, std::string, std::less<>> device;
  // "3.11" or "3.11.2" when the tree holds no interpreter; it wins over the tree's.
  std::string python;
  // Shared libraries that every device has; empty means base_libraries().
  std::vector<std::string> base_libraries;
  std::vector<MatrixRule> matrix;
  std::vector<Waiver> waivers;
  UtcTime now{};  // for waivers
};

// What a C and C++ runtime of Linux consists of: libc.so.6, libm.so.6, ld-linux-x86-64.so.2, …
std::vector<std::string> base_libraries();

// kUsage if options.python is no Python version.
Result<std::vector<Finding>> audit(const Inventory& inventory, const AuditOptions& options);

// True if no finding is an error.
bool passes(const std::vector<Finding>& findings);

// "error: …", "warning: …" or "waived (by NAME until DATE: REASON): …".
std::string line_of(const Finding& finding);
nlohmann::json finding_json(const Finding& finding);

}  // namespace lineside::runtime
