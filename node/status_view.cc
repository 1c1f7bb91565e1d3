// SPDX-License-Identifier: Apache-2.0
#include "node/status_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proto/trust/document.h"

namespace lineside::node {
namespace {

using nlohmann::json;

void null_what_is_not_there(json& value) {
  static const std::string kNever = format_utc(UtcTime{});
  static const std::string kNothing = Digest{}.hex();
  if (value.is_structured()) {
    for (json& member : value) null_what_is_not_there(member);
  } else if (value == kNever || value == kNothing) {
    value = nullptr;
  }
}

// The disk may have lost since the last check what infers.
bool runs_confirmed(const StatusFacts& facts) {
  return facts.life.confirmed && facts.current == facts.life.confirmed->tree;
}

// While a newer tree is tried it is `current`, and the trial says what becomes of it.
bool on_trial(State state) {
  return state == State::kActivating || state == State::kTrial;
}

bool is_dead(const StatusFacts& facts) {
  const Life& life = facts.life;
  return life.confirmed && (!life.inferring || (!runs_confirmed(facts) && !on_trial(life.state)));
}

std::string cause_of_death(const StatusFacts& facts) {
  if (!facts.life.inferring_cause.empty()) return facts.life.inferring_cause;
  if (facts.life.inferring) return "`current` does not lead to what was confirmed";
  return "no check has passed";
}

std::string inference_line(const StatusFacts& facts) {
  const Life& life = facts.life;
  if (!life.confirmed) return "nothing is confirmed yet";
  if (!is_dead(facts)) return fmt::format("yes, {} inferences counted", life.inferences);
  std::string line = "NOT INFERRING";
  if (!life.inferring && life.inferring_since != UtcTime{}) {
    line += " since " + format_utc(life.inferring_since);
  }
  return line + ": " + cause_of_death(facts);
}

std::string read_back_line(const Life& life) {
  if (!life.damage.empty()) {
    return "DAMAGED at " + format_utc(life.read_back_at) + ": " + life.damage;
  }
  if (life.read_back) return life.read_back->hex() + " at " + format_utc(life.read_back_at);
  return "not yet";
}

}  // namespace

bool is_well(const StatusFacts& facts) {
  return facts.life.confirmed && !is_dead(facts);
}

json status_json(const StatusFacts& facts) {
  json value = json::parse(as_text(serialise(facts.life)));
  for (const char* name :
       {"target", "delivery", "before", "check", "confirmed", "previous", "read_back"}) {
    if (!value.contains(name)) value[name] = nullptr;
  }
  for (const char* name : {"roster_floor", "directive_floor"}) {
    if (value[name]["number"] == 0) value[name] = nullptr;
  }
  value["device"] = facts.device;
  value["fingerprint"] = facts.fingerprint ? json(*facts.fingerprint) : json();
  value["current"] = facts.current ? json(facts.current->hex()) : json();
  value["agent_runs"] = facts.agent_runs;
  value["not_inferring"] = nullptr;
  if (is_dead(facts)) {
    value["not_inferring"] = {{"cause", cause_of_death(facts)},
                              {"since", format_utc(facts.life.inferring_since)}};
  }
  null_what_is_not_there(value);
  return value;
}

std::string status_text(const StatusFacts& facts) {
  const Life& life = facts.life;
  std::string text;
  auto add = [&text](const char* name, const std::string& value) {
    // Some of it is what a gateway or a probe said.
    text += fmt::format("{:<11}{}\n", name, trust::clean_text(value));
  };
  add("device", facts.device + " " + facts.fingerprint.value_or("(no key yet)"));
  if (!facts.agent_runs) {
    add("agent", "DOES NOT RUN: this is what it wrote down last; `lineside-node run` starts it");
  }
  add("inferring", inference_line(facts));
  add("state", std::string(state_name(life.state)) +
                   (life.sequence == 0 ? "" : fmt::format(", directive {}", life.sequence)));
  if (life.target) add("bundle", life.target->name);
  if (!life.error.empty()) add("error", life.code + ": " + life.error);
  add("confirmed", life.confirmed ? life.confirmed->name : "nothing");
  add("current", facts.current ? facts.current->hex() : "no slot");
  add("read back", read_back_line(life));
  if (life.check) {
    add("check", fmt::format("{} ({}) at {}{}{}", life.check->verdict, life.check->phase,
                             format_utc(life.check->finished),
                             life.check->cause.empty() ? "" : ": ", life.check->cause));
  }
  return text;
}

}  // namespace lineside::node
