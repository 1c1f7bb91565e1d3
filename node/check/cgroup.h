// SPDX-License-Identifier: Apache-2.0
// A control group for one child, with a memory and process limit: version 2 where the agent may
// make groups below its own, version 1's memory and pids controllers where those are mounted.
// Without either the caller falls back to resource limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/disk.h"

namespace lineside::node {

class Cgroup {
 public:
  // Where a service manager has left this process's group to it (Delegate= of systemd), version 2
  // takes limits only for groups beside processes, never around them: the agent moves into a group
  // of its own, so that those of checks can stand beside it. Once, at the start of the daemon;
  // nothing happens where nothing was delegated.
  static void settle();
  // nullptr if this machine offers none that we may use.
  static std::unique_ptr<Cgroup> create(std::uint64_t memory_bytes, std::uint64_t pids);
  ~Cgroup();  // kills what is left in it and removes it
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  // Open files to which the child writes "0" to enter; owned here.
  [[nodiscard]] const std::vector<int>& entrances() const { return entrances_; }
  // The kernel has killed something in it for memory.
  [[nodiscard]] bool out_of_memory() const;
  void kill_all() const;

 private:
  Cgroup() = default;
  bool add(const Path& dir, const std::vector<std::pair<std::string, std::string>>& settings);
  bool add_v2(const std::string& name, std::uint64_t memory, std::uint64_t pids);
  bool add_v1(const std::string& name, std::uint64_t memory, std::uint64_t pids);

  std::vector<Path> dirs_;
  std::vector<int> entrances_;
};

}  // namespace lineside::node
