// SPDX-License-Identifier: Apache-2.0
// bundle.toml: what a person decides about a bundle. What can be measured is not in it.
//
//     name = "line-audio"            version = "2.0.0"     release = 2      security_floor = 1
//     vendor = "machines.example"    hardware = ["ipc-press", "ipc-robot"]
//     tree = "2.0.0"        # firmware/ runtime/ models/ validation/, relative to this file
//
//     [device]              # facts of the devices that the firmware does not carry itself
//     __glibc = "2.36"
//
//     [[waiver]]            # a finding of the audit that somebody takes upon himself
//     rule = "dep-version"           subject = "onnxruntime->numpy"
//     by = "A. Person"               until = "2027-01-01T00:00:00Z"    reason = "…"
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/manifest.h"

namespace lineside::bundler {

struct BundleFile {
  std::string name;
  std::string version;
  std::int64_t release = 0;
  std::int64_t security_floor = 0;
  std::string vendor;
  std::vector<std::string> hardware;
  Path tree;
  std::map<std::string, std::string, std::less<>> device;
  std::vector<trust::Waiver> waivers;
};

// `hardware` comes sorted. kUsage naming file and line for everything that is wrong in it; the
// codes of Disk.
Result<BundleFile> load_bundle_file(const Disk& disk, const Path& path);

}  // namespace lineside::bundler
