// SPDX-License-Identifier: Apache-2.0
#include "node/ledger.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "proto/base/log.h"

namespace lineside::node {

Ledger::Ledger(Disk& disk, Path state, Life life)
    : disk_(disk), state_(std::move(state)), life_(std::move(life)) {}

Result<std::unique_ptr<Ledger>> Ledger::open(Disk& disk, Path state) {
  TRY(disk.make_dirs(state));
  TRY_ASSIGN(Life life, load_life(disk, state));
  return std::unique_ptr<Ledger>(new Ledger(disk, std::move(state), std::move(life)));
}

Life Ledger::life() const {
  std::scoped_lock lock(mutex_);
  return life_;
}

Result<void> Ledger::save(Life life) {
  TRY(save_life(disk_, state_, life));
  life_ = std::move(life);
  return ok();
}

Result<void> Ledger::change(const std::function<void(Life&)>& edit) {
  std::scoped_lock lock(mutex_);
  Life next = life_;
  edit(next);
  return save(std::move(next));
}

Result<Action> Ledger::step(Event event, UtcTime now, const std::function<void(Life&)>& edit) {
  std::scoped_lock lock(mutex_);
  auto row = life_row(life_.state, event);
  if (!row) return Action::kNone;
  Life next = life_;
  next.state = row->next;
  edit(next);
  TRY(save(std::move(next)));
  record(*row, now);
  return row->action;
}

Result<void> Ledger::judge(bool inferring, const std::string& cause, UtcTime now,
                           const std::function<void(Life&)>& edit) {
  std::scoped_lock lock(mutex_);
  Life next = life_;
  bool news = set_inferring(next, inferring, cause, now);
  edit(next);
  TRY(save(std::move(next)));
  if (news) record_inference(now);
  return ok();
}

void Ledger::record(const Row& row, UtcTime now) {
  if (row.event == Event::kResumed && at_rest(row.state)) return;
  log(Level::kInfo, "state",
      {{"event", std::string(event_name(row.event))},
       {"from", std::string(state_name(row.state))},
       {"to", std::string(state_name(row.next))},
       {"sequence", std::to_string(life_.sequence)},
       {"error", life_.error}});
  nlohmann::json line = {{"time", format_utc(now)},
                         {"event", event_name(row.event)},
                         {"from", state_name(row.state)},
                         {"to", state_name(row.next)},
                         {"sequence", life_.sequence},
                         {"directive", life_.directive.hex()},
                         {"bundle", life_.target ? life_.target->name : ""},
                         {"code", life_.code},
                         {"error", life_.error}};
  append(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void Ledger::record_inference(UtcTime now) {
  const std::string tree = life_.confirmed ? life_.confirmed->tree.hex() : "";
  log(life_.inferring ? Level::kNotice : Level::kError,
      life_.inferring ? "inferring" : "NOT INFERRING",
      {{"bundle", life_.confirmed ? life_.confirmed->name : ""}, {"cause", life_.inferring_cause}});
  nlohmann::json line = {{"time", format_utc(now)},
                         {"event", life_.inferring ? "inferring" : "not_inferring"},
                         {"state", state_name(life_.state)},
                         {"sequence", life_.sequence},
                         {"bundle", life_.confirmed ? life_.confirmed->name : ""},
                         {"tree", tree},
                         {"cause", life_.inferring_cause}};
  append(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void Ledger::append(const std::string& line) {
  auto file = disk_.reopen(state_ / "events.log");
  bool good = file.ok() && (*file)->append(as_bytes(line)).ok() && (*file)->sync().ok();
  if (!good) log(Level::kWarning, "event log not written");
}

}  // namespace lineside::node
