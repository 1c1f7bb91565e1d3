// SPDX-License-Identifier: Apache-2.0
// What a daemon and the service manager that started it tell each other: sd_notify(3),
// sd_watchdog_enabled(3) and sd_listen_fds(3) of systemd. Without a manager nothing happens, so
// that callers need not know. Any thread.
#pragma once

#include <optional>
#include <string_view>

namespace lineside::service {

// The daemon listens and works: units that are ordered behind it may start.
void report_ready();

// It ends by its own doing.
void report_stopping();

// It still does its work. To be said from the loop that does it, at least every quarter of the
// unit's WatchdogSec=; silence for longer than that gets the daemon restarted.
void report_alive();

// The listening socket that the manager holds open under this name (FileDescriptorName= of the
// socket unit), or nothing. The caller owns it; asked twice, it is the same descriptor.
std::optional<int> inherited_socket(std::string_view name);

}  // namespace lineside::service
