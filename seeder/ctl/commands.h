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
  std::string operator_key = {};   // file or key URI that is there already; empty: makes one
  std::string operator_name = {};  // how other operators know this one
  std::vector<std::string> other_operators = {};  // public keys; the file's name is the person's
  unsigned threshold = 1;                         // how many of all operators must sign
};
// kUsage if no passphrase can be had and no_passphrase is not set; all arguments are checked before
// that, and a folder that is not whole is never left.
Result<void> site_init(Disk& disk, Session& session, const SiteInit& init);

// A folder for another operator of a site that there is; `root` is its fully signed site root.
Result<void> site_join(Disk& disk, Session& session, const SiteInit& init, const Path& root);

struct KeyWish {
  std::string file;
  bool p256 = false;
  bool no_passphrase = false;
};
Result<void> key_generate(Disk& disk, Session& session, const KeyWish& wish);

struct OperatorChange {
  std::vector<std::string> add;     // public keys; the file's name is the person's
  std::vector<std::string> remove;  // names or fingerprints
  unsigned threshold = 0;           // 0: as it is
  int days = 3650;
};
// Drafts the next site root, and if the roster would not hold under it the next roster.
Result<void> site_operators(Session& session, const OperatorChange& change);

// Says what a draft changes, checks it as if it were made here, and adds a signature. A directive's
// bundle is verified over the vendor's chain. `key_source` instead of the folder's key.
Result<void> sign_draft(Session& session, const Path& file, const std::string& key_source);
// Posts what is fully signed; the first site root becomes the folder's.
Result<void> submit_draft(Session& session, const Path& file, bool replace);

struct GatewayChange {
  Path key;             // PEM
  std::string address;  // empty: as before
  bool keep_old = false;
};
// Talks to the new gateway from now on, and signs a roster that names its key. No device has to be
// touched.
Result<void> replace_gateway(Session& session, const GatewayChange& change);

// --gateway-key FILE; kUsage.
Result<trust::PublicKey> read_gateway_key(const Disk& disk, const Path& path);

Result<void> nodes(Session& session);
// All of them or none. A device that is in the roster with that key is said to be; that is no
// error.
Result<void> accept(Session& session, const std::vector<Acceptance>& wishes);
Result<void> revoke(Session& session, const std::string& device);

// After a rotation: the last roster, as operators before it signed it, signed anew by the present
// ones, with a number above every roster that the gateway ever held. Says so if there is nothing to
// do. kConflict if the gateway held a newer one than this folder, unless it is to be signed all the
// same: what was changed since is lost. Codes of SiteFolder::former_roster and next_number.
enum class IfOlder { kRefuse, kSign };
Result<void> roster_sign(Session& session, IfOlder older);

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
// Goes on over a gateway that does not answer, and says so. With until_end: calls attention to a
// rollout that is paused or did not end well, and to devices. kConflict if there is none.
Result<void> watch(Session& session, const Watch& options);
Result<void> report(Session& session, std::int64_t sequence, bool csv = false);
Result<void> events(Session& session, std::int64_t after);
struct AttestExport {
  Path folder;
  bool sigstore = false;  // a sigstore bundle instead of the bare DSSE envelope
};
// Evaluates the gate of the present directive here, with the vendor's manifest, and says what there
// is of each canary. Calls attention to canaries without a valid PASSED; kMismatch if directive and
// manifest do not belong together. Writes what devices of the roster signed into the folder if
// `wanted`, as DEVICE-DIGEST.dsse.json or DEVICE-DIGEST.sigstore.json, and their keys as
// DEVICE.pub.pem.
Result<void> attest(Session& session, const std::optional<AttestExport>& wanted);

}  // namespace lineside::ctl
