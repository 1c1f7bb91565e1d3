// SPDX-License-Identifier: Apache-2.0
// The time that no honest clock goes below, so that a clock which is turned back, or was never set,
// cannot bring expired metadata to life again. Pure.
//
// A signed time is a lower bound of the true one only if the signer's clock was right. A laptop
// that runs a year ahead would otherwise push every device a year ahead, for ever, and the vendor's
// metadata would be expired on all of them. So a clock that can be right at all is believed: what
// is said to be issued more than a day after it does not move the floor. Only a clock that shows
// less than the build time is known to be wrong, and takes the signers' word.
#pragma once

#include "proto/base/clock.h"

namespace lineside::node {

// 2026-11-01: no clock that shows less is right.
inline constexpr UtcTime kBuildTime{std::chrono::seconds(1'793'491'200)};
// How far a signer's clock may be ahead of ours.
inline constexpr std::chrono::hours kClockDifference{24};

// `issued` is credible beside the machine's own clock.
bool is_credible(UtcTime issued, UtcTime clock);
// The machine's clock is behind what was signed by more than signers' clocks differ: it was never
// set, or somebody turned it back. Without time nothing new is installed, since nobody can say what
// has expired; what is installed boots and goes back without asking the time.
bool is_time_missing(UtcTime floor, UtcTime clock);
// The floor after a verified document that was issued then.
UtcTime raise_floor(UtcTime floor, UtcTime clock, UtcTime issued);

}  // namespace lineside::node
