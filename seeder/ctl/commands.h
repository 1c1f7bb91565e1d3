// SPDX-License-Identifier: Apache-2.0
// The commands of `lineside`, one function each. Results on Session::out(): tables, or one JSON
// value with --json.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "seeder/ctl/drafts.h"
#include "seeder/ctl/session.h"

namespace lineside::ctl {

struct SiteInit {
  std::string name;
  std::string gateway;
  Path gateway_key;  // PEM, "lineside-seeder key" prints it
  Path vendor_root;  // may be empty
  bool no_passphrase = false;
};
// kUsage if no passphrase can be had and no_passphrase is not set; all arguments are checked before
// that, and a folder that is not whole is never left.
Result<void> site_init(Disk& disk, Session& session, const SiteInit& init);

Result<void> nodes(Session& session);
// All of them or none. A device that is in the roster with that key is said to be; that is no
// error.
Result<void> accept(Session& session, const std::vector<Acceptance>& wishes);
Result<void> revoke(Session& session, const std::string& device);

// The gateway asks the origin now.
Result<void> refresh(Session& session);
Result<void> bundles(Session& session);
// The gateway takes `bundle` (empty: the newest release of every bundle) from a folder on its
// machine; waits for the end of it.
Result<void> import(Session& session, const Path& folder, const std::string& bundle);
// Lets `bytes` more cross the WAN for a release than the gateway's budget.
Result<void> allow(Session& session, const std::string& bundle, std::uint64_t bytes);
// `lan_rate`: bytes a second that one node's link carries, for the estimate.
Result<void> plan(Session& session, const std::string& bundle, const RolloutWish& wish,
                  std::uint64_t lan_rate);

Result<void> rollout_start(Session& session, const std::string& bundle, const RolloutWish& wish);
// A new directive for `bundle`, or if that is empty for the newest other one whose rollout ended
// well (way_back).
Result<void> rollout_rollback(Session& session, const std::string& bundle, const RolloutWish& wish);
// "pause", "resume", "abort"
Result<void> rollout_command(Session& session, const std::string& verb);

struct Watch {
  bool live = false;       // redraw in place
  bool until_end = false;  // return when nothing moves any more without an operator
  std::chrono::milliseconds every{500};
};
// Calls attention to devices that are not inferring, damaged, failed or silent.
Result<void> status(Session& session);
// With until_end: calls attention to a rollout that is paused or did not end well, and to devices.
// kConflict if there is none.
Result<void> watch(Session& session, const Watch& options);
Result<void> report(Session& session, std::int64_t sequence, bool csv = false);
Result<void> events(Session& session, std::int64_t after);
// Evaluates the gate of the present directive here, with the vendor's manifest, and says what there
// is of each canary. Calls attention to canaries without a valid PASSED; kMismatch if directive and
// manifest do not belong together. Writes the envelopes that devices of the roster signed into
// `folder` if given, as DEVICE-DIGEST.dsse.json.
Result<void> attest(Session& session, const std::optional<Path>& folder);

}  // namespace lineside::ctl
