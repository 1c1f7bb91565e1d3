// SPDX-License-Identifier: Apache-2.0
// SQLite as Result-returning values. One thread at a time for a Database and its statements.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lineside::seeder {

class Database;

// A prepared statement being filled and stepped. Errors of bind are returned by the next step.
class Statement {
 public:
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view value);  // copied
  Statement& bind(BytesView value);         // copied; a BLOB

  // True if there is a row. kConflict for a broken constraint, kNoSpace, kIo.
  Result<bool> step();
  // Steps to the end; for what returns no rows.
  Result<void> run();

  // Columns of the present row, from 0. NULL reads as 0 or empty.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] Bytes blob(int column) const;

 private:
  friend class Database;
  struct Close {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* database, sqlite3_stmt* statement, std::optional<Error> error);
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Close> statement_;
  std::optional<Error> error_;
  int next_ = 1;
};

class Database {
 public:
  // Opens or creates; WAL and synchronous=FULL, so that what a COMMIT returned for survives a power
  // cut.
  static Result<Database> open(const Path& path);

  // A bad statement is a bug of ours: its error comes from step().
  [[nodiscard]] Statement prepare(std::string_view sql) const;
  // Any number of statements without parameters.
  Result<void> execute(const std::string& sql);
  [[nodiscard]] std::int64_t last_row() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Result<void> begin();
  Result<void> commit();

 private:
  Database& database_;
  bool open_ = false;
};

}  // namespace lineside::seeder
