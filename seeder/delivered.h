// SPDX-License-Identifier: Apache-2.0
// Bytes that a device received under one directive, over the restarts of its agent. Pure.
//
// An agent remembers transfers that it finished; what a running transfer received so far is in its
// memory alone. If it restarts, or gives a transfer up, those bytes vanish from its reports
// although they crossed the LAN. The gateway carries them on.
#pragma once

#include <cstdint>
#include <string>

#include "proto/api/site_api.h"
#include "proto/base/result.h"

namespace lineside::seeder {

// To be added to what the device reports under the same directive.
struct Carried {
  std::uint64_t from_gateway = 0;  // bytes
  std::uint64_t from_peers = 0;
  bool operator==(const Carried&) const = default;
};

// After `now` came and `last` was the report before it. A report that came twice carries nothing.
Carried carry(const Carried& before, const api::NodeReport& last, const api::NodeReport& now);
// The report with its sums corrected.
api::NodeReport with_carried(api::NodeReport report, const Carried& carried);

// How the gateway keeps both: the report's JSON with a member more.
std::string serialise(const api::NodeReport& report, const Carried& carried);
// kMalformed. What was kept without the member carries nothing.
Result<Carried> parse_carried(BytesView text);

}  // namespace lineside::seeder
