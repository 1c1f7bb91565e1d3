// SPDX-License-Identifier: Apache-2.0
#include "seeder/rollout_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>

#include "seeder/schema.h"
#include "seeder/sqlite.h"

namespace lineside::seeder {
namespace {

std::int64_t seconds(UtcTime time) {
  return time.time_since_epoch().count();
}
UtcTime from_seconds(std::int64_t count) {
  return UtcTime(std::chrono::seconds(count));
}
std::string_view kind_name(DocumentKind kind) {
  return kind == DocumentKind::kRoster ? "roster" : "directive";
}

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

Result<void> insert_document(Database& database, DocumentKind kind, std::int64_t number,
                             const Digest& digest, BytesView envelope, const Event& event) {
  TRY(database.prepare("INSERT INTO documents(kind,number,digest,envelope,at) VALUES(?,?,?,?,?)")
          .bind(kind_name(kind))
          .bind(number)
          .bind(digest.hex())
          .bind(envelope)
          .bind(seconds(event.at))
          .run());
  return insert_event(database, event);
}

Result<void> insert_rollout(Database& database, const StoredRollout& rollout,
                            const std::vector<Event>& events) {
  TRY(database.prepare("INSERT OR REPLACE INTO rollouts(sequence,state,bundle) VALUES(?,?,?)")
          .bind(rollout.state.sequence)
          .bind(serialise(rollout.state))
          .bind(rollout.bundle)
          .run());
  for (const Event& event : events) TRY(insert_event(database, event));
  return ok();
}

Result<std::optional<Bytes>> first_blob(Statement statement) {
  TRY_ASSIGN(bool row, statement.step());
  if (!row) return std::optional<Bytes>();
  return std::optional<Bytes>(statement.blob(0));
}

Result<std::vector<StoredReport>> read_reports(Statement statement) {
  std::vector<StoredReport> reports;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) return reports;
    reports.push_back({statement.text(0), statement.text(1), from_seconds(statement.integer(2))});
  }
}

Result<WanBytes> read_wan(Statement statement) {
  TRY_ASSIGN(bool row, statement.step());
  if (!row) return WanBytes{};
  return WanBytes{static_cast<std::uint64_t>(statement.integer(0)),
                  static_cast<std::uint64_t>(statement.integer(1))};
}

Result<std::vector<StoredRollout>> read_rollouts(Statement statement) {
  std::vector<StoredRollout> rollouts;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) return rollouts;
    std::string text = statement.text(0);
    TRY_ASSIGN(RolloutState state, parse_rollout_state(as_bytes(text)));
    rollouts.push_back({std::move(state), statement.text(1)});
  }
}

}  // namespace

struct RolloutStore::State {
  explicit State(Database opened) : database(std::move(opened)) {}
  std::mutex mutex;
  Database database;

  // Runs `work` in one transaction.
  template <class Work>
  Result<void> commit(Work work) {
    std::lock_guard lock(mutex);
    Transaction transaction(database);
    TRY(transaction.begin());
    TRY(work(database));
    return transaction.commit();
  }
};

RolloutStore::RolloutStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
RolloutStore::~RolloutStore() = default;

Result<std::unique_ptr<RolloutStore>> RolloutStore::open(const Path& file) {
  TRY_ASSIGN(Database database, Database::open(file));
  TRY(migrate(database));
  auto state = std::make_unique<State>(std::move(database));
  return std::unique_ptr<RolloutStore>(new RolloutStore(std::move(state)));
}

Result<void> RolloutStore::add_document(DocumentKind kind, std::int64_t number,
                                        const Digest& digest, BytesView envelope,
                                        const Event& event) {
  return state_->commit([&](Database& database) {
    return insert_document(database, kind, number, digest, envelope, event);
  });
}

Result<void> RolloutStore::add_directive(const Digest& digest, BytesView envelope,
                                         const Event& event, const StoredRollout& begun,
                                         const std::optional<RolloutStep>& ended) {
  return state_->commit([&](Database& database) -> Result<void> {
    if (ended) TRY(insert_rollout(database, ended->rollout, ended->events));
    TRY(insert_document(database, DocumentKind::kDirective, begun.state.sequence, digest, envelope,
                        event));
    return insert_rollout(database, begun, {});
  });
}

Result<std::optional<Bytes>> RolloutStore::newest_document(DocumentKind kind) const {
  std::lock_guard lock(state_->mutex);
  return first_blob(std::move(
      state_->database
          .prepare("SELECT envelope FROM documents WHERE kind=? ORDER BY number DESC LIMIT 1")
          .bind(kind_name(kind))));
}

Result<std::int64_t> RolloutStore::newest_number(DocumentKind kind) const {
  std::lock_guard lock(state_->mutex);
  Statement statement =
      state_->database.prepare("SELECT COALESCE(MAX(number),0) FROM documents WHERE kind=?");
  statement.bind(kind_name(kind));
  TRY(statement.step());
  return statement.integer(0);
}

Result<std::optional<Bytes>> RolloutStore::document(DocumentKind kind, std::int64_t number) const {
  std::lock_guard lock(state_->mutex);
  return first_blob(
      std::move(state_->database.prepare("SELECT envelope FROM documents WHERE kind=? AND number=?")
                    .bind(kind_name(kind))
                    .bind(number)));
}

Result<bool> RolloutStore::add_attestation(const Digest& digest, const Digest& directive,
                                           BytesView envelope, const Event& event) {
  bool added = false;
  Result<void> done = state_->commit([&](Database& database) -> Result<void> {
    TRY_ASSIGN(
        auto held,
        first_blob(std::move(database.prepare("SELECT envelope FROM attestations WHERE digest=?")
                                 .bind(digest.hex()))));
    if (held) return ok();
    TRY(database.prepare("INSERT INTO attestations(digest,directive,envelope) VALUES(?,?,?)")
            .bind(digest.hex())
            .bind(directive.hex())
            .bind(envelope)
            .run());
    added = true;
    return insert_event(database, event);
  });
  TRY(std::move(done));
  return added;
}

Result<std::vector<Bytes>> RolloutStore::attestations(const Digest& directive) const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare(
      "SELECT envelope FROM attestations WHERE directive=? ORDER BY rowid");
  statement.bind(directive.hex());
  std::vector<Bytes> envelopes;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) return envelopes;
    envelopes.push_back(statement.blob(0));
  }
}

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

Result<void> RolloutStore::put_rollout(const StoredRollout& rollout,
                                       const std::vector<Event>& events) {
  return state_->commit(
      [&](Database& database) { return insert_rollout(database, rollout, events); });
}

Result<std::optional<StoredRollout>> RolloutStore::rollout(std::int64_t sequence) const {
  std::lock_guard lock(state_->mutex);
  TRY_ASSIGN(auto found,
             read_rollouts(std::move(
                 state_->database.prepare("SELECT state,bundle FROM rollouts WHERE sequence=?")
                     .bind(sequence))));
  if (found.empty()) return std::optional<StoredRollout>();
  return std::optional<StoredRollout>(std::move(found.front()));
}

Result<std::vector<StoredRollout>> RolloutStore::rollouts() const {
  std::lock_guard lock(state_->mutex);
  return read_rollouts(
      state_->database.prepare("SELECT state,bundle FROM rollouts ORDER BY sequence"));
}

Result<void> RolloutStore::put_forecast(std::int64_t sequence, std::string_view json) {
  TRY_ASSIGN(auto known, forecast(sequence));
  if (known) {
    return Error{Code::kExists, fmt::format("rollout {} has its forecast already", sequence)};
  }
  return state_->commit([&](Database& database) {
    return database.prepare("INSERT INTO forecasts(sequence,forecast) VALUES(?,?)")
        .bind(sequence)
        .bind(json)
        .run();
  });
}

Result<std::optional<std::string>> RolloutStore::forecast(std::int64_t sequence) const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare("SELECT forecast FROM forecasts WHERE sequence=?");
  statement.bind(sequence);
  TRY_ASSIGN(bool row, statement.step());
  return row ? std::optional<std::string>(statement.text(0)) : std::nullopt;
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

Result<void> RolloutStore::add_wan(std::string_view release, const WanBytes& more) {
  return state_->commit([&](Database& database) {
    return database
        .prepare(
            "INSERT INTO wan(release,payload,metadata) VALUES(?,?,?) ON CONFLICT(release) DO"
            " UPDATE SET payload=payload+excluded.payload,"
            " metadata=metadata+excluded.metadata")
        .bind(release)
        .bind(static_cast<std::int64_t>(more.payload))
        .bind(static_cast<std::int64_t>(more.metadata))
        .run();
  });
}

Result<WanBytes> RolloutStore::wan(std::string_view release) const {
  std::lock_guard lock(state_->mutex);
  return read_wan(std::move(
      state_->database.prepare("SELECT payload,metadata FROM wan WHERE release=?").bind(release)));
}

Result<WanBytes> RolloutStore::wan_total() const {
  std::lock_guard lock(state_->mutex);
  return read_wan(state_->database.prepare("SELECT SUM(payload),SUM(metadata) FROM wan"));
}

}  // namespace lineside::seeder
