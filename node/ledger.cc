// SPDX-License-Identifier: Apache-2.0
#include "node/ledger.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>

#include "proto/base/log.h"

namespace lineside::node {
namespace {

// ".NAME.XXXXXX": what Disk::replace() was writing when the power went.
bool half_written(const DirEntry& entry) {
  constexpr std::size_t kTail = 7;
  const std::string& name = entry.name;
  return entry.type == FileType::kFile && name.size() > kTail + 1 && name.front() == '.' &&
         name[name.size() - kTail] == '.' &&
         std::all_of(name.end() - kTail + 1, name.end(),
                     [](unsigned char one) { return std::isalnum(one) != 0; });
}

Result<void> sweep(Disk& disk, const Path& folder) {
  TRY_ASSIGN(auto there, disk.stat(folder));
  if (!there) return ok();
  TRY_ASSIGN(auto entries, disk.list(folder));
  for (const DirEntry& entry : entries) {
    if (half_written(entry)) TRY(disk.remove(folder / entry.name));
  }
  return ok();
}

}  // namespace

Ledger::Ledger(Disk& disk, Path state, Life life)
    : disk_(disk), state_(std::move(state)), life_(std::move(life)) {}

Result<std::unique_ptr<Ledger>> Ledger::open(Disk& disk, Path state) {
  TRY(disk.make_dirs(state));
  for (const char* folder : {"", "documents", "documents/attestations", "listings", "manifests",
                             "trust/site", "trust/vendor"}) {
    TRY(sweep(disk, state / folder));
  }
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

void Ledger::alarm(const std::string& what, UtcTime now) {
  std::scoped_lock lock(mutex_);
  log(Level::kError, "ALARM", {{"what", what}});
  nlohmann::json line = {{"time", format_utc(now)},
                         {"event", "alarm"},
                         {"state", state_name(life_.state)},
                         {"sequence", life_.sequence},
                         {"what", what}};
  append(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void Ledger::append(const std::string& line) {
  auto file = disk_.reopen(state_ / "events.log");
  bool good = file.ok() && (*file)->append(as_bytes(line)).ok() && (*file)->sync().ok();
  if (!good) log(Level::kWarning, "event log not written");
}

}  // namespace lineside::node
