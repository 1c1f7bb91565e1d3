// SPDX-License-Identifier: Apache-2.0
// What every bundle tree must hold before anything else about it is worth saying.
#pragma once

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/runtime/probe_spec.h"
#include "proto/trust/listing.h"

namespace lineside::bundler {

inline constexpr std::string_view kProbeFile = "validation/probe.json";

// kIncompatible naming what is missing or foreign: the top folders are exactly firmware, runtime,
// models and validation, each with a file below it, and there is an inference check. A bundle
// without a check could not be gated, and a folder of another name would be installed and never
// looked at.
Result<void> check_layout(const trust::Listing& listing);

struct ProbeFacts {
  Digest digest;                            // of probe.json
  std::vector<std::string> tests;           // ids that a PASSED attestation must list
  std::vector<runtime::ProbeModel> models;  // that the check says it loads
};
// Reads probe.json as the device will. The codes of parse_probe_spec; kIncompatible if it names a
// file that `listing`, the tree's, does not have.
Result<ProbeFacts> read_probe(const Disk& disk, const Path& tree, const trust::Listing& listing);

// What the firmware says of itself: the first line of firmware/VERSION, else VERSION_ID of
// firmware/etc/os-release or firmware/usr/lib/os-release, else nothing.
Result<std::string> firmware_version(const Disk& disk, const Path& tree);

}  // namespace lineside::bundler
