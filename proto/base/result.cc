// SPDX-License-Identifier: Apache-2.0
#include "proto/base/result.h"

namespace lineside {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kUsage:
      return "usage";
    case Code::kMalformed:
      return "malformed";
    case Code::kTooLarge:
      return "too-large";
    case Code::kBadSignature:
      return "bad-signature";
    case Code::kUnknownKey:
      return "unknown-key";
    case Code::kExpired:
      return "expired";
    case Code::kRollback:
      return "rollback";
    case Code::kWrongSite:
      return "wrong-site";
    case Code::kWrongDevice:
      return "wrong-device";
    case Code::kWrongHardware:
      return "wrong-hardware";
    case Code::kMismatch:
      return "mismatch";
    case Code::kNotFound:
      return "not-found";
    case Code::kExists:
      return "exists";
    case Code::kDenied:
      return "denied";
    case Code::kNoSpace:
      return "no-space";
    case Code::kIo:
      return "io";
    case Code::kNetwork:
      return "network";
    case Code::kHttp:
      return "http";
    case Code::kTimeout:
      return "timeout";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kConflict:
      return "conflict";
    case Code::kIncompatible:
      return "incompatible";
    case Code::kCheckFailed:
      return "check-failed";
    case Code::kCheckError:
      return "check-error";
    case Code::kGateShut:
      return "gate-shut";
    case Code::kBudget:
      return "budget";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::with(std::string_view context) const {
  return {code, std::string(context) + ": " + what};
}

std::string Error::describe() const {
  return std::string(code_name(code)) + ": " + what;
}

}  // namespace lineside
