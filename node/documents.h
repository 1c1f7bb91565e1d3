// SPDX-License-Identifier: Apache-2.0
// The signed documents that a device holds, each verified here whatever way it came:
//
//     site root (commissioning) ─▶ operators ─▶ roster: who belongs to the site, whom to talk to
//                                          └──▶ directive: what to install
//
//     STATE/trust/site/       the site's root chain      STATE/documents/roster.dsse
//     STATE/trust/vendor/     the vendor's TUF metadata  STATE/documents/directive.dsse
//
// One thread.
#pragma once

#include <optional>
#include <string>

#include "node/gateway_link.h"
#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/directive.h"
#include "proto/trust/roster.h"

namespace lineside::node {

struct TrustAnchors {
  std::string site;  // its name
  Path site_root;    // N.root.json, from commissioning
  Path vendor_root;
};

class Documents {
 public:
  // `disk` outlives it.
  Documents(Disk& disk, Path state, TrustAnchors anchors);

  // Takes the anchors over at the first start, and verifies again what the disk holds. A stored
  // roster or directive that no longer verifies is dropped. Errors: the anchors cannot be read or
  // are no valid roots.
  Result<void> load(UtcTime now);

  // 5.3 of the TUF specification on the site's chain: operators may have changed.
  Result<void> refresh_site(trust::Fetcher& site_metadata, UtcTime now);
  // Newer envelopes; what is older than held is kRollback, and nothing changes on any error.
  Result<void> take_roster(BytesView envelope);
  Result<void> take_directive(BytesView envelope);

  [[nodiscard]] const std::optional<trust::VerifiedRoster>& roster() const { return roster_; }
  [[nodiscard]] const std::optional<trust::VerifiedDirective>& directive() const {
    return directive_;
  }
  // The newest time that a verified document claims: see Life::time_floor.
  [[nodiscard]] UtcTime newest_time() const;

 private:
  Result<void> anchor(const Path& dir, const Path& root);
  Result<void> load_operators(UtcTime now);

  Disk& disk_;
  Path state_;
  TrustAnchors anchors_;
  trust::Authority operators_;
  std::optional<trust::VerifiedRoster> roster_;
  std::optional<trust::VerifiedDirective> directive_;
};

}  // namespace lineside::node
