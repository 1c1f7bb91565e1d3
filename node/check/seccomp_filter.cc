// SPDX-License-Identifier: Apache-2.0
#include "node/check/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace lineside::node {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArch = 0;
#endif

constexpr std::uint32_t kKilled[] = {
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_ptrace,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_bpf,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_swapon,
    SYS_swapoff,
    SYS_reboot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsmount,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
};
constexpr std::uint32_t kRefused[] = {
    SYS_unshare, SYS_setns,       SYS_add_key,         SYS_request_key,
    SYS_keyctl,  SYS_userfaultfd, SYS_perf_event_open, SYS_open_by_handle_at,
};

sock_filter statement(std::uint16_t code, std::uint32_t k) {
  return {code, 0, 0, k};
}
sock_filter jump_equal(std::uint32_t k, std::uint8_t if_true, std::uint8_t if_false) {
  return {BPF_JMP | BPF_JEQ | BPF_K, if_true, if_false, k};
}

}  // namespace

Bytes seccomp_filter() {
  if (kArch == 0) return {};
  std::vector<sock_filter> program = {
      statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      jump_equal(kArch, 1, 0),
      statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (std::uint32_t number : kKilled) {
    program.push_back(jump_equal(number, 0, 1));
    program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  }
  for (std::uint32_t number : kRefused) {
    program.push_back(jump_equal(number, 0, 1));
    program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  Bytes bytes(program.size() * sizeof(sock_filter));
  std::memcpy(bytes.data(), program.data(), bytes.size());
  return bytes;
}

}  // namespace lineside::node
