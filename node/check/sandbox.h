// SPDX-License-Identifier: Apache-2.0
// The sandbox of an inference check, as arguments for bubblewrap. Pure, apart from find_root.
//
// Inside stand, read-only: the root file system (the bundle's own firmware/rootfs if it has one,
// else the device's /usr and what belongs to it) and the tree at kTreeMount. {out} alone is
// writable. There is no network, no capability, no other process; /proc and /dev are minimal
// (onnxruntime aborts without /proc/cpuinfo).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/runtime/probe_spec.h"

namespace lineside::node {

inline constexpr const char* kTreeMount = "/lineside";
inline constexpr const char* kOutMount = "/lineside-out";

// One name in the root folder of the sandbox.
struct RootEntry {
  std::string name;         // "/usr"
  Path source;              // bound read-only, unless
  std::string link_target;  // this is set: then a symbolic link
  bool operator==(const RootEntry&) const = default;
};

// firmware/rootfs of the tree, entry by entry, if there is one; else the device's. proc, dev, sys
// and run of the former are left out.
Result<std::vector<RootEntry>> find_root(const Disk& disk, const Path& tree);

struct SandboxPlan {
  std::string bwrap = "bwrap";
  std::vector<RootEntry> root;
  Path tree;
  Path out;
  std::vector<std::string> devices;  // those that exist
  int status_fd = -1;                // bubblewrap's JSON status, closed to the probe
  int seccomp_fd = -1;               // a compiled filter; -1: none
};

// {runtime} and its synonym {ml}, {models}, {validation}, {out}; other braces stay as they are.
std::string expand(std::string_view text);

// Everything up to and including the probe's own arguments.
std::vector<std::string> sandbox_argv(const SandboxPlan& plan, const runtime::ProbeSpec& spec);

// The probe's whole environment: nothing of the agent's own is inherited.
std::map<std::string, std::string> sandbox_env(const runtime::ProbeSpec& spec);

}  // namespace lineside::node
