// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"
#include "seeder/rollout_planner.h"

namespace lineside::seeder {
namespace {

constexpr Stage kStages[] = {Stage::kPreparing, Stage::kCanaries,  Stage::kSoaking,
                             Stage::kBatches,   Stage::kDone,      Stage::kFailed,
                             Stage::kAborted,   Stage::kSuperseded};
constexpr Ending kEndings[] = {Ending::kPending,   Ending::kConfirmed, Ending::kFailed,
                               Ending::kSilent,    Ending::kStalled,   Ending::kWithdrawn,
                               Ending::kUnfinished};

template <class T, std::size_t N, class Name>
T named(trust::Fields& fields, std::string_view member, const T (&values)[N], Name name) {
  std::string text = fields.text(member);
  for (T value : values) {
    if (name(value) == text) return value;
  }
  fields.fail(member, "expected a known name");
  return values[0];
}

}  // namespace

std::string serialise(const RolloutState& state) {
  nlohmann::json opened = nlohmann::json::array();
  for (const auto& [batch, at] : state.opened) {
    opened.push_back({{"batch", batch}, {"at", format_utc(at)}});
  }
  nlohmann::json outcomes = nlohmann::json::array();
  for (const auto& [device, outcome] : state.outcomes) {
    outcomes.push_back({{"device", device},
                        {"ending", ending_name(outcome.ending)},
                        {"why", outcome.why},
                        {"furthest", outcome.furthest},
                        {"delivered", outcome.delivered},
                        {"advanced", format_utc(outcome.advanced)}});
  }
  return nlohmann::json{{"sequence", state.sequence},
                        {"stage", stage_name(state.stage)},
                        {"batches_open", state.batches_open},
                        {"opened", opened},
                        {"outcomes", outcomes},
                        {"paused", state.paused},
                        {"paused_by_operator", state.paused_by_operator},
                        {"resumed", format_utc(state.resumed)},
                        {"tolerated_failures", state.tolerated_failures},
                        {"reason", state.reason}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<RolloutState> parse_rollout_state(BytesView text) {
  TRY_ASSIGN(nlohmann::json json, trust::parse_json(text, "rollout state"));
  trust::Fields fields(json, "rollout state");
  constexpr std::int64_t kMaxCount = 0xffffffff;
  RolloutState state;
  state.sequence = fields.integer("sequence", 0, trust::kMaxInteger);
  state.stage = named(fields, "stage", kStages, stage_name);
  state.batches_open = static_cast<std::uint32_t>(fields.integer("batches_open", 0, kMaxCount));
  for (trust::Fields& item : fields.list("opened")) {
    auto batch = static_cast<std::uint32_t>(item.integer("batch", 0, kMaxCount));
    state.opened[batch] = item.utc("at");
  }
  for (trust::Fields& item : fields.list("outcomes")) {
    DeviceOutcome& outcome = state.outcomes[item.text("device")];
    outcome.ending = named(item, "ending", kEndings, ending_name);
    outcome.why = item.text("why");
    // Absent in what an earlier version wrote.
    outcome.furthest = item.optional_text("furthest").value_or("");
    outcome.delivered = static_cast<std::uint64_t>(
        item.optional_integer("delivered", 0, trust::kMaxInteger).value_or(0));
    outcome.advanced = item.optional_utc("advanced").value_or(UtcTime{});
  }
  state.paused = fields.boolean("paused");
  state.paused_by_operator = fields.boolean("paused_by_operator");
  state.resumed = fields.optional_utc("resumed").value_or(UtcTime{});
  state.tolerated_failures =
      static_cast<std::uint32_t>(fields.integer("tolerated_failures", 0, kMaxCount));
  state.reason = fields.text("reason");
  TRY(fields.finish());
  return state;
}

}  // namespace lineside::seeder
