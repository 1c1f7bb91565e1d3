// SPDX-License-Identifier: Apache-2.0
// The signed documents that a device holds, each verified here whatever way it came:
//
//     site root (commissioning) ─▶ operators ─▶ roster: who belongs to the site, whom to talk to
//                                          └──▶ directive: what to install
//
//     STATE/trust/site/       the site's root chain      STATE/documents/roster.dsse
//     STATE/trust/vendor/     the vendor's TUF metadata  STATE/documents/directive.dsse
//                                                        STATE/documents/conflict.json
//
// What was held once is a floor in life.json: a roster or directive that is older, or another of
// the same number, is refused also after somebody deleted or replaced the stored file. The floor is
// durable before the document is used. It falls in one case only: the site has other operators, and
// none of their keys is one of those before. Then whoever set it has no right to it any more, and
// his number must not keep the true operators out (TUF 5.3.11 does the same for the timestamp). As
// long as one key stays, the numbers stay: what that key signed below them must not come back.
//
// Two documents of one number are a hard alarm: both are kept as evidence, and conflict() stops the
// device until the operators have signed a higher number.
//
// One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/gateway_link.h"
#include "node/ledger.h"
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

// Two documents of one kind and number, each signed by the operators' threshold. Somebody who holds
// their keys tells different devices different things.
struct Conflict {
  enum class Kind { kRoster, kDirective };
  Kind kind = Kind::kDirective;
  std::int64_t number = 0;
  std::vector<Bytes> envelopes;  // both as received; one alone if the other is no longer held
  [[nodiscard]] std::string describe() const;
};

class Documents {
 public:
  // `disk` outlives it.
  Documents(Disk& disk, Path state, TrustAnchors anchors);

  // Takes the anchors over at the first start, and verifies again what the disk holds. A stored
  // roster or directive that no longer verifies, or is below its floor, is dropped. `ledger` keeps
  // the floors and outlives this. Errors: the anchors cannot be read or are no valid roots; kUsage
  // if they are of another chain than those that were taken over.
  Result<void> load(Ledger& ledger, UtcTime now);

  // 5.3 of the TUF specification on the site's chain: operators may have changed. If they have, the
  // held roster and directive are verified again at once, and dropped if they fail.
  Result<void> refresh_site(trust::Fetcher& site_metadata, UtcTime now);
  // Newer envelopes; what is older than held, or than was ever held, is kRollback, and nothing
  // changes on any error.
  Result<void> take_roster(BytesView envelope);
  Result<void> take_directive(BytesView envelope);
  // Two envelopes that somebody shows: verified, and held as a conflict if they are one. kMismatch
  // if they are none, kRollback if what they are about has been overtaken.
  Result<void> take_evidence(const std::vector<Bytes>& envelopes);

  // The alarm. It ends with a document of a higher number. Documents of that kind up to its number
  // are refused meanwhile (kConflict).
  [[nodiscard]] const std::optional<Conflict>& conflict() const { return conflict_; }
  [[nodiscard]] std::int64_t site_root_version() const { return site_root_version_; }
  [[nodiscard]] const std::optional<trust::VerifiedRoster>& roster() const { return roster_; }
  [[nodiscard]] const std::optional<trust::VerifiedDirective>& directive() const {
    return directive_;
  }
  // The floor under the time that the held documents give: see time_floor.h. `clock` is the
  // machine's own, without a floor.
  [[nodiscard]] UtcTime time_floor(UtcTime floor, UtcTime clock) const;

 private:
  Result<void> anchor(const char* key, const Path& root, const Path& dir, const char* way_out);
  Result<void> load_operators(UtcTime now);
  Result<void> count_for(const trust::Authority& operators);
  Result<void> load_roster();
  Result<void> load_directive();
  void verify_again(const trust::Authority& operators);
  struct Numbered {
    Conflict::Kind kind = Conflict::Kind::kDirective;
    DocumentFloor number;
    const Bytes& envelope;
  };
  static Numbered numbered(const trust::VerifiedRoster& roster);
  static Numbered numbered(const trust::VerifiedDirective& directive);
  [[nodiscard]] Result<Conflict> conflict_of(const std::vector<Bytes>& envelopes) const;
  [[nodiscard]] DocumentFloor floor_of(Conflict::Kind kind) const;
  Result<void> check_number(const Numbered& next, const Bytes* held);
  Result<void> raise_alarm(Conflict conflict);
  void end_alarm(Conflict::Kind kind, std::int64_t number);
  void load_conflict();
  Result<void> hold(trust::VerifiedRoster verified);
  Result<void> hold(trust::VerifiedDirective verified);

  Disk& disk_;
  Path state_;
  TrustAnchors anchors_;
  Ledger* ledger_ = nullptr;  // set by load()
  trust::Authority operators_;
  std::optional<trust::VerifiedRoster> roster_;
  std::optional<trust::VerifiedDirective> directive_;
  std::optional<Conflict> conflict_;
  std::int64_t site_root_version_ = 0;
};

}  // namespace lineside::node
