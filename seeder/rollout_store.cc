// SPDX-License-Identifier: Apache-2.0
#include "seeder/rollout_store.h"

#include <fmt/format.h>

#include "seeder/rollout_store_state.h"
#include "seeder/schema.h"

namespace lineside::seeder {
namespace {

std::string_view kind_name(DocumentKind kind) {
  return kind == DocumentKind::kRoster ? "roster" : "directive";
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

Result<void> RolloutStore::allow_wan(std::string_view release, std::uint64_t bytes,
                                     const Event& event) {
  return state_->commit([&](Database& database) -> Result<void> {
    TRY(database
            .prepare("INSERT INTO wan_allowed(release,bytes) VALUES(?,?) ON CONFLICT(release) DO"
                     " UPDATE SET bytes=bytes+excluded.bytes")
            .bind(release)
            .bind(static_cast<std::int64_t>(bytes))
            .run());
    return insert_event(database, event);
  });
}

Result<std::uint64_t> RolloutStore::wan_allowed(std::string_view release) const {
  std::lock_guard lock(state_->mutex);
  Statement statement = state_->database.prepare("SELECT bytes FROM wan_allowed WHERE release=?");
  TRY_ASSIGN(bool row, statement.bind(release).step());
  return row ? static_cast<std::uint64_t>(statement.integer(0)) : 0;
}

Result<void> RolloutStore::add_import(std::string_view bundle) {
  return state_->commit([&](Database& database) {
    return database.prepare("INSERT OR REPLACE INTO imports(bundle) VALUES(?)").bind(bundle).run();
  });
}

Result<std::vector<std::string>> RolloutStore::imports(std::size_t most) const {
  std::lock_guard lock(state_->mutex);
  Statement statement =
      state_->database.prepare("SELECT bundle FROM imports ORDER BY number DESC LIMIT ?");
  statement.bind(static_cast<std::int64_t>(most));
  std::vector<std::string> bundles;
  while (true) {
    TRY_ASSIGN(bool row, statement.step());
    if (!row) return bundles;
    bundles.push_back(statement.text(0));
  }
}

}  // namespace lineside::seeder
