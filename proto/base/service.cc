// SPDX-License-Identifier: Apache-2.0
#include "proto/base/service.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

namespace lineside::service {
namespace {

// What a failed message could change is the manager's to notice: the daemon works as well without.
void tell(const char* state) {
  static_cast<void>(::sd_notify(0, state));
}

}  // namespace

void report_ready() {
  tell("READY=1");
}

void report_stopping() {
  tell("STOPPING=1");
}

void report_alive() {
  if (::sd_watchdog_enabled(0, nullptr) > 0) tell("WATCHDOG=1");
}

std::optional<int> inherited_socket(std::string_view name) {
  char** names = nullptr;
  int count = ::sd_listen_fds_with_names(0, &names);
  std::optional<int> found;
  for (int i = 0; i < count; ++i) {
    if (!found && name == names[i]) found = SD_LISTEN_FDS_START + i;
    ::free(names[i]);
  }
  ::free(static_cast<void*>(names));
  return found;
}

}  // namespace lineside::service
