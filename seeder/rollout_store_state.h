// SPDX-License-Identifier: Apache-2.0
// What the sources of RolloutStore share: the database behind it, and how times and events are
// written. For rollout_store*.cc only.
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>

#include "seeder/rollout_store.h"
#include "seeder/sqlite.h"

namespace lineside::seeder {

// Times are stored as seconds since 1970.
inline std::int64_t seconds(UtcTime time) {
  return time.time_since_epoch().count();
}
inline UtcTime from_seconds(std::int64_t count) {
  return UtcTime(std::chrono::seconds(count));
}

// Within the caller's transaction.
Result<void> insert_event(Database& database, const Event& event);

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

}  // namespace lineside::seeder
