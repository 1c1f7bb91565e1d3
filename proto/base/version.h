// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lineside {

// Of all programs: they are built and released together.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace lineside
