// SPDX-License-Identifier: Apache-2.0
// How `lineside` ends, the same over all commands.
#pragma once

#include <string>

#include "proto/base/result.h"

namespace lineside::ctl {

enum ExitStatus : int {
  kExitOk = 0,
  kExitFailed = 1,       // files, protocol, anything that is none of these
  kExitUsage = 2,        // flags or configuration
  kExitAttention = 3,    // it was done, but somebody has to look: devices or rollout not well
  kExitUnreachable = 4,  // no connection to the gateway, or no answer in time
  kExitRefused = 5,      // not possible as things are: nothing was changed
  kExitDistrusted = 6,   // a signature, key, date or digest does not hold
};

ExitStatus exit_status(Code code);

// For --help.
extern const char* const kExitStatusHelp;

// One line for standard error: "lineside: conflict: …", or {"error":{"code":…,"message":…}}.
std::string error_line(std::string_view code, const std::string& message, bool json);

}  // namespace lineside::ctl
