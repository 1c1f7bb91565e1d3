// SPDX-License-Identifier: Apache-2.0
// Where a passphrase comes from: never from argv, where every user of the machine can read it.
#pragma once

#include <optional>
#include <string>

#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside {

// The next line of the descriptor whose number is in $LINESIDE_PASSPHRASE_FD if that is set (one
// line for each key, in the order of the keys); else the first line of the file named by
// $LINESIDE_PASSPHRASE_FILE, the same for every key; else, on a terminal, what the user types after
// `prompt` (not echoed; typed twice and compared if `confirm`); else nullopt. kUsage if the two
// differ or the passphrase is empty; the codes of Disk for the file.
Result<std::optional<std::string>> ask_passphrase(const Disk& disk, const std::string& prompt,
                                                  bool confirm);

}  // namespace lineside
