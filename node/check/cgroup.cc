// SPDX-License-Identifier: Apache-2.0
#include "node/check/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace lineside::node {
namespace {

// These are kernel interfaces, not files that have to survive: no Disk.
bool write_setting(const Path& file, const std::string& value) {
  int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool good = ::write(fd, value.data(), value.size()) == static_cast<ssize_t>(value.size());
  ::close(fd);
  return good;
}

std::string read_text(const Path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Our own group under one controller ("" for version 2), from lines like "4:memory:/a/b".
std::string own_group(const std::string& controller) {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    std::size_t first = line.find(':');
    std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controller.empty() ? names == ",," : names.find("," + controller + ",") != names.npos) {
      return line.substr(second + 1);
    }
  }
  return {};
}

constexpr const char* kRoot = "/sys/fs/cgroup";
constexpr const char* kAgentGroup = "agent";

// systemd marks what it has delegated, so that a shell's group is never rearranged.
bool is_delegated(const Path& group) {
  char mark = 0;
  return ::getxattr(group.c_str(), "user.delegate", &mark, 1) == 1 && mark == '1';
}

// The number after "oom_kill " in memory.events or memory.oom_control.
std::uint64_t oom_kills(const std::string& text) {
  std::istringstream in(text);
  std::string word;
  std::uint64_t count = 0;
  while (in >> word >> count) {
    if (word == "oom_kill") return count;
  }
  return 0;
}

}  // namespace

void Cgroup::settle() {
  Path own = kRoot / Path(own_group("")).relative_path();
  if (!is_delegated(own)) return;
  if (::mkdir((own / kAgentGroup).c_str(), 0755) != 0 && errno != EEXIST) return;
  if (!write_setting(own / kAgentGroup / "cgroup.procs", "0")) return;
  for (const char* controller : {"+memory", "+pids", "+cpu"}) {
    write_setting(own / "cgroup.subtree_control", controller);
  }
}

std::unique_ptr<Cgroup> Cgroup::create(std::uint64_t memory_bytes, std::uint64_t pids) {
  static std::atomic<unsigned> counter{0};
  std::string name =
      "lineside-check-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  std::unique_ptr<Cgroup> group(new Cgroup);
  if (group->add_v2(name, memory_bytes, pids) || group->add_v1(name, memory_bytes, pids)) {
    return group;
  }
  return nullptr;
}

bool Cgroup::add(const Path& dir,
                 const std::vector<std::pair<std::string, std::string>>& settings) {
  if (::mkdir(dir.c_str(), 0755) != 0) return false;
  for (const auto& [name, value] : settings) {
    if (!write_setting(dir / name, value)) {
      ::rmdir(dir.c_str());
      return false;
    }
  }
  int fd = ::open((dir / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    ::rmdir(dir.c_str());
    return false;
  }
  dirs_.push_back(dir);
  entrances_.push_back(fd);
  return true;
}

bool Cgroup::add_v2(const std::string& name, std::uint64_t memory, std::uint64_t pids) {
  if (read_text(Path(kRoot) / "cgroup.controllers").empty()) return false;
  Path own = kRoot / Path(own_group("")).relative_path();
  if (own.filename() == kAgentGroup) own = own.parent_path();
  if (!add(own / name,
           {{"memory.max", std::to_string(memory)}, {"pids.max", std::to_string(pids)}})) {
    return false;
  }
  write_setting(own / name / "memory.swap.max", "0");  // absent without swap accounting
  write_setting(own / name / "memory.oom.group", "1");
  write_setting(own / name / "cpu.weight", "20");
  return true;
}

bool Cgroup::add_v1(const std::string& name, std::uint64_t memory, std::uint64_t pids) {
  auto dir = [&name](const std::string& controller) {
    return Path(kRoot) / controller / Path(own_group(controller)).relative_path() / name;
  };
  if (!add(dir("memory"), {{"memory.limit_in_bytes", std::to_string(memory)}})) return false;
  write_setting(dirs_.back() / "memory.memsw.limit_in_bytes", std::to_string(memory));
  add(dir("pids"), {{"pids.max", std::to_string(pids)}});  // good to have
  return true;
}

bool Cgroup::out_of_memory() const {
  const Path& dir = dirs_.front();
  return oom_kills(read_text(dir / "memory.events")) > 0 ||
         oom_kills(read_text(dir / "memory.oom_control")) > 0;
}

void Cgroup::kill_all() const {
  for (const Path& dir : dirs_) {
    if (write_setting(dir / "cgroup.kill", "1")) continue;
    std::ifstream in(dir / "cgroup.procs");
    for (pid_t pid = 0; in >> pid;) ::kill(pid, SIGKILL);
  }
}

Cgroup::~Cgroup() {
  kill_all();
  for (int fd : entrances_) ::close(fd);
  for (const Path& dir : dirs_) {
    // The kernel lets go of a group a moment after its last process.
    for (int attempt = 0; attempt < 100 && ::rmdir(dir.c_str()) != 0 && errno == EBUSY; ++attempt) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

}  // namespace lineside::node
