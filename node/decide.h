// SPDX-License-Identifier: Apache-2.0
// What a device decides by itself, from signed documents and its own life. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/life.h"
#include "proto/api/site_api.h"
#include "proto/trust/attestation.h"
#include "proto/trust/directive.h"
#include "proto/trust/manifest.h"
#include "proto/trust/roster.h"

namespace lineside::node {

struct Knowledge {
  const std::string& device;
  const Life& life;
  const std::vector<std::string>& hardware;  // classes, as configured here
  const trust::Roster* roster = nullptr;
  const trust::VerifiedDirective* directive = nullptr;
  // The gateway's last about this very directive; without one nothing begins, unless `alone`.
  const api::ReportReply* reply = nullptr;
  UtcTime now{};
  bool alone = false;         // no gateway has said a word about the directive for long
  bool time_missing = false;  // see time_floor.h
  std::string alarm = {};     // two documents of one number are signed; empty if not
};

// Why not even the work before the switch goes on: an alarm, no time, or the site is paused. What a
// gateway held back when it was last heard stays so after it is gone.
std::optional<Error> stopped(const Knowledge& known);
// The same, or the gateway has not spoken and is not gone for long enough to be done without.
std::optional<Error> held_back(const Knowledge& known);
// The directive may begin: it is newer than the last one begun, for this device, in its time, the
// roster has the device and not revoked, and nothing holds it back.
bool may_begin(const Knowledge& known);
// Why a directive that is newer than the last one begun waits, if its time is the reason: not come
// yet, or over, by the clock of this device.
std::optional<Error> not_in_its_time(const Knowledge& known);
// Why a directive that is newer than the last one begun, and in its time, waits: held_back(), if it
// is for this device.
std::optional<Error> not_begun(const Knowledge& known);
// Work under way that is not switched yet has run out of its directive's time, by the clock of this
// device: kExpired, saying so.
std::optional<Error> run_out(const Knowledge& known);
// Why work under way that is not switched yet ends before its time: kSuperseded by a newer
// directive, or kCalledOff, says the gateway, about this very one.
std::optional<Event> cut_short(const Knowledge& known);

// Why the switch may not be made yet; empty if it may. Asked in state gated. A canary named by the
// directive needs no evidence; everybody else needs an open gate (trust::evaluate_gate) and, from
// the gateway, which can withhold and nothing more, the batch's turn. Alone, a batch's turn comes
// one device_deadline after that of the batch before it, the first one's with the gate: as long as
// a gateway would wait for devices that say nothing. Shut for all whose configured classes are not
// those of the roster, and if what was checked is another manifest than the directive's.
std::string gate_shut(const Knowledge& known, const trust::Manifest& manifest,
                      const std::vector<Bytes>& attestations);

// The outcome that this device owes the site: it is a canary of the directive, the outcome is known
// and not attested yet. nullopt also when the check could not be run, which proves nothing, and
// when inference died after the trial: a dead canary opens no gate.
std::optional<trust::Outcome> attestation_due(const Knowledge& known);
trust::Attestation make_attestation(const Knowledge& known, const trust::Manifest& manifest,
                                    trust::Outcome outcome);

}  // namespace lineside::node
