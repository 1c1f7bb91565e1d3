// SPDX-License-Identifier: Apache-2.0
// What is known of single devices: reports, checks, requests to enrol.
#include <fmt/format.h>

#include <algorithm>

#include "seeder/rollout_store_state.h"

namespace lineside::seeder {
namespace {

std::string join(const std::vector<std::string>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> values;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t comma = std::min(text.find(',', at), text.size());
    values.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return values;
}

Result<std::vector<StoredReport>> read_reports(Statement statement) {
  std::vector<StoredReport> reports;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) return reports;
    reports.push_back({statement.text(0), statement.text(1), from_seconds(statement.integer(2))});
  }
}

}  // namespace

Result<void> RolloutStore::put_report(const StoredReport& report, std::int64_t sequence) {
  return state_->commit([&](Database& database) -> Result<void> {
    TRY(database.prepare("INSERT OR REPLACE INTO nodes(device,report,heard) VALUES(?,?,?)")
            .bind(report.device)
            .bind(report.json)
            .bind(seconds(report.heard))
            .run());
    if (sequence == 0) return ok();
    return database
        .prepare(
            "INSERT OR REPLACE INTO rollout_reports(sequence,device,report,heard) VALUES(?,?,?,?)")
        .bind(sequence)
        .bind(report.device)
        .bind(report.json)
        .bind(seconds(report.heard))
        .run();
  });
}

Result<void> RolloutStore::add_check(const std::string& device, const StoredCheck& check) {
  return state_->commit([&](Database& database) -> Result<void> {
    TRY(database
            .prepare("INSERT OR IGNORE INTO checks(device,finished,phase,verdict,cause,measured)"
                     " VALUES(?,?,?,?,?,?)")
            .bind(device)
            .bind(seconds(check.finished))
            .bind(check.phase)
            .bind(check.verdict)
            .bind(check.cause)
            .bind(check.measured)
            .run());
    return database
        .prepare(
            "DELETE FROM checks WHERE device=? AND finished<=(SELECT finished FROM checks"
            " WHERE device=? ORDER BY finished DESC LIMIT 1 OFFSET ?)")
        .bind(device)
        .bind(device)
        .bind(kMaxChecks)
        .run();
  });
}

Result<std::vector<StoredCheck>> RolloutStore::checks(const std::string& device,
                                                      std::int64_t limit) const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare(
      "SELECT finished,phase,verdict,cause,measured FROM checks WHERE device=?"
      " ORDER BY finished DESC,phase LIMIT ?");
  statement.bind(device).bind(limit);
  std::vector<StoredCheck> checks;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) break;
    checks.push_back({from_seconds(statement.integer(0)), statement.text(1), statement.text(2),
                      statement.text(3), statement.text(4)});
  }
  std::reverse(checks.begin(), checks.end());
  return checks;
}

Result<std::vector<StoredReport>> RolloutStore::reports() const {
  std::lock_guard lock(state_->mutex);
  return read_reports(
      state_->database.prepare("SELECT device,report,heard FROM nodes ORDER BY device"));
}

Result<std::vector<StoredReport>> RolloutStore::reports_under(std::int64_t sequence) const {
  std::lock_guard lock(state_->mutex);
  return read_reports(std::move(
      state_->database
          .prepare(
              "SELECT device,report,heard FROM rollout_reports WHERE sequence=? ORDER BY device")
          .bind(sequence)));
}

Result<bool> RolloutStore::put_pending(const PendingDevice& pending) {
  bool is_new = false;
  Result<void> done = state_->commit([&](Database& database) -> Result<void> {
    Statement update = database.prepare(
        "UPDATE pending SET device=?,hardware=?,agent=?,last_seen=? WHERE spki=? RETURNING 1");
    update.bind(pending.device).bind(join(pending.hardware)).bind(pending.agent);
    update.bind(seconds(pending.last_seen)).bind(pending.spki);
    TRY_ASSIGN(bool known, update.step());
    if (known) return ok();
    Statement count = database.prepare("SELECT COUNT(*) FROM pending");
    TRY(count.step());
    if (count.integer(0) >= static_cast<std::int64_t>(kMaxPending)) {
      return Error{Code::kTooLarge, fmt::format("{} devices wait already", kMaxPending)};
    }
    is_new = true;
    return database
        .prepare(
            "INSERT INTO pending(spki,device,fingerprint,hardware,agent,first_seen,last_seen)"
            " VALUES(?,?,?,?,?,?,?)")
        .bind(pending.spki)
        .bind(pending.device)
        .bind(pending.fingerprint)
        .bind(join(pending.hardware))
        .bind(pending.agent)
        .bind(seconds(pending.first_seen))
        .bind(seconds(pending.last_seen))
        .run();
  });
  TRY(std::move(done));
  return is_new;
}

Result<void> RolloutStore::remove_pending(BytesView spki) {
  return state_->commit([&](Database& database) {
    return database.prepare("DELETE FROM pending WHERE spki=?").bind(spki).run();
  });
}

Result<std::vector<PendingDevice>> RolloutStore::pending() const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare(
      "SELECT device,spki,fingerprint,hardware,agent,first_seen,last_seen FROM pending"
      " ORDER BY device, first_seen");
  std::vector<PendingDevice> devices;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) return devices;
    devices.push_back({statement.text(0), statement.blob(1), statement.text(2),
                       split(statement.text(3)), statement.text(4),
                       from_seconds(statement.integer(5)), from_seconds(statement.integer(6))});
  }
}

}  // namespace lineside::seeder
