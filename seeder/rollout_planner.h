// SPDX-License-Identifier: Apache-2.0
// The rollout of one directive as a pure function: what is known -> what is allowed next, and why.
//
// The planner has no authority. It can only withhold: a node activates when its own gate is open,
// and only then asks whether its batch is open here. Invariants, each a property test:
//
//     - batches_open never falls, and is above 1 only after the gate was seen open
//     - a batch opens only when every device of all earlier batches has ended
//     - nothing opens while paused, ended, expired or above the failure limit
//     - whatever is lost, doubled, late or out of order on the way, every device comes to an ending
//     - the same state and observation give the same answer, and a second call changes nothing
//
// A device whose batch is open has the directive's device_deadline, twice over: to say anything
// (else it is silent) and to advance (else it is stalled). The time runs from the opening of the
// batch, the last resume, the gateway's own start or the last word or step, whichever is latest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "proto/trust/directive.h"

namespace lineside::seeder {

// Stages in their order; kDone and what follows it are ends. A pause is a flag, not a stage.
enum class Stage {
  kPreparing,
  kCanaries,
  kSoaking,
  kBatches,
  kDone,
  kFailed,  // nothing can open any more: a canary failed or was revoked, or the directive expired
  kAborted,
  kSuperseded,
};
std::string_view stage_name(Stage stage);
[[nodiscard]] bool has_ended(Stage stage);

enum class Ending {
  kPending,     // not ended
  kConfirmed,   // runs the bundle of the directive, trial over
  kFailed,      // failed or rolled back
  kSilent,      // not heard of for the directive's device_deadline: counts as failed
  kStalled,     // speaks, but did not advance for the device_deadline: counts as failed
  kWithdrawn,   // revoked meanwhile: counts neither way
  kUnfinished,  // the rollout ended before the device had switched: counts neither way
};
std::string_view ending_name(Ending ending);

struct DeviceOutcome {
  Ending ending = Ending::kPending;
  std::string why;              // code and words of the failure
  std::string furthest;         // state of the life table
  std::uint64_t delivered = 0;  // bytes, when `advanced` was set
  UtcTime advanced{};           // when it last came further, by state or by bytes
  bool operator==(const DeviceOutcome&) const = default;
};

// Durable. All that the planner remembers between two observations.
struct RolloutState {
  std::int64_t sequence = 0;
  Stage stage = Stage::kPreparing;
  std::uint32_t batches_open = 0;
  std::map<std::uint32_t, UtcTime> opened;        // batch -> when it opened
  std::map<std::string, DeviceOutcome> outcomes;  // of every device that is meant
  bool paused = false;
  bool paused_by_operator = false;       // else by a rule; `reason` says which
  UtcTime resumed{};                     // when an operator resumed it last
  std::uint32_t tolerated_failures = 0;  // failures that an operator has resumed past
  std::string reason;                    // why the stage or pause is what it is
  bool operator==(const RolloutState&) const = default;

  [[nodiscard]] std::uint32_t count(Ending ending) const;
  [[nodiscard]] std::uint32_t failures() const;  // failed, silent and stalled
  // The gate was seen open: only then devices beside the canaries had their turn.
  [[nodiscard]] bool gate_was_open() const;
  // It was aborted or has failed: nothing of it opens any more.
  [[nodiscard]] bool in_vain() const;
  // Nodes are told to begin nothing, and not to switch.
  [[nodiscard]] bool withholds() const;
};

// What the gateway last heard of one device.
struct DeviceNews {
  std::string state;  // of the life table
  std::int64_t directive_sequence = 0;
  Digest manifest;  // of the confirmed bundle
  std::string code;
  std::string error;
  UtcTime heard{};
  bool revoked = false;
  std::uint64_t delivered = 0;  // bytes under the directive, in all
};

struct Observation {
  UtcTime now{};
  UtcTime listening{};     // since when the gateway has been there to hear anybody
  bool supplied = false;   // the gateway has the deliveries to offer
  bool gate_open = false;  // trust::evaluate_gate says so
  bool soaking = false;    // all canaries passed, soak not over
  std::string gate;        // GateState::describe()
  std::map<std::string, DeviceNews> devices;
};

// One line of the event log.
struct Decision {
  std::string kind;    // "stage", "batch-open", "device", "pause", "resume", "abort"
  std::string device;  // empty if it is about no single one
  std::string why;
  bool operator==(const Decision&) const = default;
};

struct Planned {
  RolloutState state;
  std::vector<Decision> decisions;  // empty: nothing changed
};

// The state of a directive that was just accepted.
RolloutState begin_rollout(const trust::Directive& directive);
// Takes note of what is known now. An ended rollout opens nothing more; its devices that had
// switched already are followed to their endings.
Planned advance(RolloutState state, const trust::Directive& directive, const Observation& seen);

enum class Command { kPause, kResume, kAbort, kSupersede };
std::string_view command_name(Command command);
// kConflict if the rollout has ended (for kResume it says what to do instead), or is (not) paused
// already. `who` of kSupersede is the directive that takes its place.
Result<Planned> command(RolloutState state, Command what, std::string_view who, UtcTime now);

// The state as JSON text, and back; kMalformed.
std::string serialise(const RolloutState& state);
Result<RolloutState> parse_rollout_state(BytesView text);

}  // namespace lineside::seeder
