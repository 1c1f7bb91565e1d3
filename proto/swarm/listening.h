// SPDX-License-Identifier: Apache-2.0
// Waits until libtorrent listens where it was told to. Internal to proto/swarm.
#pragma once

#include <libtorrent/fwd.hpp>
#include <string>
#include <vector>

#include "proto/base/result.h"

namespace lineside::swarm {

// kUsage unless each is "IP:port" or "[IPv6]:port".
Result<void> check_listen(const std::vector<std::string>& listen);
// Consumes alerts until each address of `listen` is bound. kConflict for a port that is taken;
// kDenied, kNetwork; the error names the address. A wildcard stands for the addresses that the
// machine has.
Result<void> await_listening(lt::session& session, const std::vector<std::string>& listen);

}  // namespace lineside::swarm
