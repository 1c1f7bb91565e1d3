// SPDX-License-Identifier: Apache-2.0
// The event log.
#include <limits>

#include "seeder/rollout_store_state.h"

namespace lineside::seeder {
namespace {

Result<std::vector<Event>> read_events(Statement& statement) {
  std::vector<Event> events;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) return events;
    events.push_back({statement.integer(0), from_seconds(statement.integer(1)), statement.text(2),
                      statement.text(3), statement.text(4), statement.integer(5), statement.text(6),
                      statement.text(7)});
  }
}

}  // namespace

Result<void> insert_event(Database& database, const Event& event) {
  return database
      .prepare(
          "INSERT INTO events(at,kind,actor,device,sequence,document,text) VALUES(?,?,?,?,?,?,?)")
      .bind(seconds(event.at))
      .bind(event.kind)
      .bind(event.actor)
      .bind(event.device)
      .bind(event.sequence)
      .bind(event.document)
      .bind(event.text)
      .run();
}

Result<void> RolloutStore::add_event(const Event& event) {
  return state_->commit([&](Database& database) { return insert_event(database, event); });
}

Result<std::vector<Event>> RolloutStore::events(std::int64_t after, std::size_t limit) const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare(
      "SELECT number,at,kind,actor,device,sequence,document,text FROM events WHERE number>?"
      " ORDER BY number LIMIT ?");
  statement.bind(after).bind(static_cast<std::int64_t>(limit));
  return read_events(statement);
}

Result<std::vector<Event>> RolloutStore::events_back(const EventQuery& wanted) const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare(
      "SELECT number,at,kind,actor,device,sequence,document,text FROM events"
      " WHERE number<? AND (?='' OR device=?) AND (?=0 OR sequence=?) ORDER BY number DESC LIMIT "
      "?");
  statement.bind(wanted.before > 0 ? wanted.before : std::numeric_limits<std::int64_t>::max())
      .bind(wanted.device)
      .bind(wanted.device)
      .bind(wanted.sequence)
      .bind(wanted.sequence)
      .bind(static_cast<std::int64_t>(wanted.limit));
  return read_events(statement);
}

Result<std::int64_t> RolloutStore::newest_event() const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare("SELECT coalesce(max(number),0) FROM events");
  TRY(statement.step());
  return statement.integer(0);
}

}  // namespace lineside::seeder
