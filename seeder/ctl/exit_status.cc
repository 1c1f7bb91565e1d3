// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/exit_status.h"

#include <nlohmann/json.hpp>

#include "proto/trust/document.h"

namespace lineside::ctl {

const char* const kExitStatusHelp =
    "Exit status, the same for all commands:\n"
    "  0  done\n"
    "  1  failed\n"
    "  2  wrong flags or configuration\n"
    "  3  done, but look: a device is not inferring, damaged, failed or silent; the rollout "
    "watched\n"
    "     is paused or did not end well; a canary has no valid PASSED attestation\n"
    "  4  the gateway cannot be reached or does not answer in time\n"
    "  5  refused, not possible as things are; nothing was changed\n"
    "  6  a signature, key, date or digest does not hold";

ExitStatus exit_status(Code code) {
  switch (code) {
    case Code::kUsage:
      return kExitUsage;
    case Code::kNetwork:
    case Code::kTimeout:
      return kExitUnreachable;
    case Code::kNotFound:
    case Code::kExists:
    case Code::kConflict:
    case Code::kWrongHardware:
    case Code::kIncompatible:
    case Code::kGateShut:
    case Code::kBudget:
    case Code::kCancelled:
      return kExitRefused;
    case Code::kMalformed:
    case Code::kTooLarge:
    case Code::kBadSignature:
    case Code::kUnknownKey:
    case Code::kExpired:
    case Code::kRollback:
    case Code::kWrongSite:
    case Code::kWrongDevice:
    case Code::kMismatch:
      return kExitDistrusted;
    case Code::kDenied:
    case Code::kNoSpace:
    case Code::kIo:
    case Code::kHttp:
    case Code::kUnsupported:
    case Code::kCheckFailed:
    case Code::kCheckError:
    case Code::kInternal:
      return kExitFailed;
  }
  return kExitFailed;
}

std::string error_line(std::string_view code, const std::string& message, bool json) {
  std::string clean = trust::clean_text(message, 4096);
  if (!json) return "lineside: " + std::string(code) + ": " + clean + "\n";
  nlohmann::json out = {{"error", {{"code", code}, {"message", clean}}}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace lineside::ctl
