// SPDX-License-Identifier: Apache-2.0
#include "seeder/schema.h"

#include <fmt/format.h>

#include <iterator>

namespace lineside::seeder {
namespace {

// Step n takes schema n to n + 1. Append only.
constexpr const char* kSteps[] = {R"sql(
CREATE TABLE documents(
  kind TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, envelope BLOB NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY(kind, number)) STRICT;
CREATE TABLE attestations(
  digest TEXT PRIMARY KEY, directive TEXT NOT NULL, envelope BLOB NOT NULL) STRICT;
CREATE INDEX attestations_of ON attestations(directive);
CREATE TABLE nodes(device TEXT PRIMARY KEY, report TEXT NOT NULL, heard INTEGER NOT NULL) STRICT;
CREATE TABLE rollout_reports(
  sequence INTEGER NOT NULL, device TEXT NOT NULL, report TEXT NOT NULL, heard INTEGER NOT NULL,
  PRIMARY KEY(sequence, device)) STRICT;
CREATE TABLE pending(
  spki BLOB PRIMARY KEY, device TEXT NOT NULL, fingerprint TEXT NOT NULL, hardware TEXT NOT NULL,
  agent TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL) STRICT;
CREATE TABLE rollouts(
  sequence INTEGER PRIMARY KEY, state TEXT NOT NULL, bundle TEXT NOT NULL) STRICT;
CREATE TABLE events(
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
  actor TEXT NOT NULL, device TEXT NOT NULL, sequence INTEGER NOT NULL, document TEXT NOT NULL,
  text TEXT NOT NULL) STRICT;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
  BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TABLE wan(
  release TEXT PRIMARY KEY, payload INTEGER NOT NULL, metadata INTEGER NOT NULL) STRICT;
)sql",
                                  R"sql(
CREATE TABLE forecasts(sequence INTEGER PRIMARY KEY, forecast TEXT NOT NULL) STRICT;
)sql",
                                  R"sql(
CREATE TABLE checks(
  device TEXT NOT NULL, finished INTEGER NOT NULL, phase TEXT NOT NULL, verdict TEXT NOT NULL,
  cause TEXT NOT NULL, measured TEXT NOT NULL, PRIMARY KEY(device, finished, phase)) STRICT;
)sql",
                                  R"sql(
CREATE TABLE wan_allowed(release TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE imports(
  number INTEGER PRIMARY KEY AUTOINCREMENT, bundle TEXT NOT NULL UNIQUE) STRICT;
)sql"};

}  // namespace

Result<void> migrate(Database& database) {
  Statement version = database.prepare("PRAGMA user_version");
  TRY(version.step());
  std::int64_t have = version.integer(0);
  constexpr auto kNewest = static_cast<std::int64_t>(std::size(kSteps));
  if (have > kNewest) {
    return Error{Code::kUnsupported,
                 fmt::format("database has schema {}, this program knows {}", have, kNewest)};
  }
  version = database.prepare("SELECT 1");
  for (std::int64_t step = have; step < kNewest; ++step) {
    Transaction transaction(database);
    TRY(transaction.begin());
    TRY(database.execute(kSteps[step]));
    TRY(database.execute(fmt::format("PRAGMA user_version={}", step + 1)));
    TRY(transaction.commit());
  }
  return ok();
}

}  // namespace lineside::seeder
