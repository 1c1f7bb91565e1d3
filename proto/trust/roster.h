// SPDX-License-Identifier: Apache-2.0
// The roster: which devices belong to the site, by their keys. Signed by the operators (DSSE,
// kRosterType), so that a gateway can queue a request to enrol but never grant it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/trust/dsse.h"
#include "proto/trust/keys.h"

namespace lineside::trust {

struct Device {
  std::string id;  // [a-z0-9][a-z0-9._-]{0,63}
  PublicKey key;
  std::vector<std::string> hardware;  // classes, at least one
  std::vector<std::string> groups;
  bool canary = false;  // may be named as canary by a directive
  bool revoked = false;
};

struct Roster {
  std::string site;
  std::int64_t version = 0;  // >= 1, rises with each roster
  UtcTime issued{};
  std::vector<PublicKey> gateways;  // keys of the site's gateways, at least one
  std::vector<Device> devices;      // sorted by id, no id and no key twice

  [[nodiscard]] const Device* find(std::string_view id) const;
  // By key, revoked ones included; nullptr if nobody has it.
  [[nodiscard]] const Device* find(const PublicKey& key) const;
  [[nodiscard]] bool is_gateway(const PublicKey& key) const;
};

// Payload bytes, canonical JSON.
Bytes serialise(const Roster& roster);
// kMalformed naming the member.
Result<Roster> parse_roster(BytesView payload);

struct VerifiedRoster {
  Roster roster;
  Digest digest;   // of the payload
  Bytes envelope;  // as received: what is stored and passed on
};
// Opens and parses; kWrongSite if it is for another site; kRollback if its version is below
// `at_least_version`.
Result<VerifiedRoster> verify_roster(BytesView envelope, const Authority& operators,
                                     std::string_view site, std::int64_t at_least_version);

}  // namespace lineside::trust
