// SPDX-License-Identifier: Apache-2.0
#include "seeder/sqlite.h"

#include <sqlite3.h>

namespace lineside::seeder {
namespace {

Error failure(sqlite3* database, std::string_view doing) {
  int primary = sqlite3_errcode(database) & 0xff;
  Code code = primary == SQLITE_CONSTRAINT ? Code::kConflict
              : primary == SQLITE_FULL     ? Code::kNoSpace
                                           : Code::kIo;
  return {code, std::string("database: ") + std::string(doing) + ": " + sqlite3_errmsg(database)};
}

}  // namespace

void Statement::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}
void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Statement::Statement(sqlite3* database, sqlite3_stmt* statement, std::optional<Error> error)
    : database_(database), statement_(statement), error_(std::move(error)) {}

Statement& Statement::bind(std::int64_t value) {
  if (!error_ && sqlite3_bind_int64(statement_.get(), next_++, value) != SQLITE_OK) {
    error_ = failure(database_, "bind");
  }
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  if (!error_ && sqlite3_bind_text64(statement_.get(), next_++, value.data(), value.size(),
                                     SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK) {
    error_ = failure(database_, "bind");
  }
  return *this;
}

Statement& Statement::bind(BytesView value) {
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  if (!error_ && sqlite3_bind_blob64(statement_.get(), next_++, data, value.size(),
                                     SQLITE_TRANSIENT) != SQLITE_OK) {
    error_ = failure(database_, "bind");
  }
  return *this;
}

Result<bool> Statement::step() {
  if (error_) return *error_;
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return failure(database_, sqlite3_sql(statement_.get()));
  }
}

Result<void> Statement::run() {
  while (true) {
    TRY_ASSIGN(bool row, step());
    if (!row) return ok();
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? std::string() : std::string(data, size);
}

Bytes Statement::blob(int column) const {
  const auto* data =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? Bytes() : Bytes(data, data + size);
}

Result<Database> Database::open(const Path& path) {
  sqlite3* raw = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
  int status = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database database(raw);
  if (status != SQLITE_OK) return failure(raw, "open " + path.string());
  sqlite3_busy_timeout(raw, 5000);
  TRY(database.execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"));
  return database;
}

Statement Database::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  std::optional<Error> error;
  if (sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &raw,
                         nullptr) != SQLITE_OK) {
    error = failure(database_.get(), sql);
  }
  return {database_.get(), raw, error};
}

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(database_.get(), sql.substr(0, 60));
  }
  return ok();
}

std::int64_t Database::last_row() const {
  return sqlite3_last_insert_rowid(database_.get());
}

Transaction::~Transaction() {
  if (open_) (void)database_.execute("ROLLBACK");
}

Result<void> Transaction::begin() {
  TRY(database_.execute("BEGIN IMMEDIATE"));
  open_ = true;
  return ok();
}

Result<void> Transaction::commit() {
  TRY(database_.execute("COMMIT"));
  open_ = false;
  return ok();
}

}  // namespace lineside::seeder
