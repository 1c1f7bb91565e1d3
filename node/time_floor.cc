// SPDX-License-Identifier: Apache-2.0
#include "node/time_floor.h"

#include <algorithm>

namespace lineside::node {

bool is_credible(UtcTime issued, UtcTime clock) {
  return clock < kBuildTime || issued <= clock + kClockDifference;
}

bool is_time_missing(UtcTime floor, UtcTime clock) {
  return clock + kClockDifference < std::max(floor, kBuildTime);
}

UtcTime raise_floor(UtcTime floor, UtcTime clock, UtcTime issued) {
  UtcTime least = std::max(floor, kBuildTime);
  return is_credible(issued, clock) ? std::max(least, issued) : least;
}

}  // namespace lineside::node
