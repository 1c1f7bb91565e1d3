// SPDX-License-Identifier: Apache-2.0
#include "node/check/sandbox.h"

#include <array>
#include <set>

namespace lineside::node {
namespace {

// What a dynamically linked program of the device needs. /etc/alternatives: Debian's BLAS is
// reached through it.
constexpr std::array<const char*, 10> kDeviceRoot = {
    "/usr", "/lib",  "/lib32",           "/lib64",          "/libx32",
    "/bin", "/sbin", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/alternatives"};

Result<void> add(const Disk& disk, const Path& source, std::string name,
                 std::vector<RootEntry>& entries) {
  TRY_ASSIGN(auto info, disk.stat(source));
  if (!info || info->type == FileType::kOther) return ok();
  RootEntry entry{std::move(name), source, {}};
  if (info->type == FileType::kLink) {
    TRY_ASSIGN(entry.link_target, disk.read_link(source));
    entry.source.clear();
  }
  entries.push_back(std::move(entry));
  return ok();
}

std::string mounted(const char* folder) {
  return std::string(kTreeMount) + "/" + folder;
}

}  // namespace

Result<std::vector<RootEntry>> find_root(const Disk& disk, const Path& tree) {
  std::vector<RootEntry> entries;
  Path own = tree / "firmware" / "rootfs";
  TRY_ASSIGN(auto info, disk.stat(own));
  if (!info || info->type != FileType::kDirectory) {
    for (const char* path : kDeviceRoot) TRY(add(disk, path, path, entries));
    return entries;
  }
  static const std::set<std::string> kMade = {"proc", "dev",      "sys",         "run",
                                              "tmp",  "lineside", "lineside-out"};
  TRY_ASSIGN(auto names, disk.list(own));
  for (const DirEntry& entry : names) {
    if (kMade.count(entry.name) == 0) TRY(add(disk, own / entry.name, "/" + entry.name, entries));
  }
  return entries;
}

std::string expand(std::string_view text) {
  static const std::map<std::string, std::string, std::less<>> kPlaces = {
      {"{runtime}", mounted("runtime")},
      {"{ml}", mounted("runtime")},
      {"{models}", mounted("models")},
      {"{validation}", mounted("validation")},
      {"{out}", kOutMount},
  };
  std::string out;
  while (!text.empty()) {
    bool replaced = false;
    for (const auto& [name, place] : kPlaces) {
      if (text.substr(0, name.size()) != name) continue;
      out += place;
      text.remove_prefix(name.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

std::vector<std::string> sandbox_argv(const SandboxPlan& plan, const runtime::ProbeSpec& spec) {
  std::vector<std::string> argv = {plan.bwrap,
                                   "--unshare-all",
                                   "--unshare-user",
                                   "--uid",
                                   "65534",
                                   "--gid",
                                   "65534",
                                   "--hostname",
                                   "lineside",
                                   "--new-session",
                                   "--die-with-parent",
                                   "--cap-drop",
                                   "ALL",
                                   "--clearenv"};
  auto push = [&argv](std::initializer_list<std::string> more) { argv.insert(argv.end(), more); };
  for (const RootEntry& entry : plan.root) {
    if (entry.link_target.empty()) {
      push({"--ro-bind", entry.source.string(), entry.name});
    } else {
      push({"--symlink", entry.link_target, entry.name});
    }
  }
  push({"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"});
  for (const std::string& device : plan.devices) push({"--dev-bind", device, device});
  push({"--ro-bind", plan.tree.string(), kTreeMount, "--bind", plan.out.string(), kOutMount});
  push({"--remount-ro", "/", "--chdir", kOutMount});
  for (const auto& [name, value] : sandbox_env(spec)) push({"--setenv", name, value});
  if (plan.status_fd >= 0) push({"--json-status-fd", std::to_string(plan.status_fd)});
  if (plan.seccomp_fd >= 0) push({"--seccomp", std::to_string(plan.seccomp_fd)});
  argv.emplace_back("--");
  for (const std::string& part : spec.argv) argv.push_back(expand(part));
  return argv;
}

std::map<std::string, std::string> sandbox_env(const runtime::ProbeSpec& spec) {
  std::map<std::string, std::string> env = {
      {"PATH", mounted("runtime") + "/bin:/usr/bin:/bin"},
      {"HOME", kOutMount},
      {"LANG", "C.UTF-8"},
      {"TZ", "UTC"},
  };
  for (const auto& [name, value] : spec.env) env[name] = expand(value);
  for (const char* prefix : {"LINESIDE_", "OTA_"}) {
    env[std::string(prefix) + "PROBE_SCHEMA"] = "1";
    env[std::string(prefix) + "OUT"] = kOutMount;
    env[std::string(prefix) + "MODELS"] = mounted("models");
    env[std::string(prefix) + "CASES"] = mounted("validation/cases");
    env[std::string(prefix) + "RESULT_FD"] = "3";
  }
  return env;
}

}  // namespace lineside::node
