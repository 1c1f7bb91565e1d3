// SPDX-License-Identifier: Apache-2.0
// The device's life behind a lock: the agent's loop and its worker both read and change it, and
// every change is durable before it is visible. Beside it the event log, which auditors read: one
// JSON line for each change of state, and for each time that inference died or revived,
// append-only.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "node/life.h"
#include "proto/base/clock.h"
#include "proto/base/disk.h"

namespace lineside::node {

class Ledger {
 public:
  // `disk` outlives it. What a power cut left half written in the state folder is removed: nobody
  // else may be writing there (proto/base/state_lock.h).
  static Result<std::unique_ptr<Ledger>> open(Disk& disk, Path state);

  [[nodiscard]] Life life() const;  // a copy
  // Applies `edit` to a copy, saves it and then shows it. On error nothing has changed. Any thread;
  // `edit` must not ask the ledger, whose lock is held.
  Result<void> change(const std::function<void(Life&)>& edit);
  // The row's next state together with `edit`, in one durable step, and a line in the event log.
  // Returns the action; kNone with no change if the table has no such row.
  Result<Action> step(Event event, UtcTime now, const std::function<void(Life&)>& edit);
  // What a check of the current tree says (set_inferring) together with `edit`, and a line in the
  // event log if inference died or revived by it.
  Result<void> judge(bool inferring, const std::string& cause, UtcTime now,
                     const std::function<void(Life&)>& edit);
  // Something that people must hear of: a line in log and event log.
  void alarm(const std::string& what, UtcTime now);

 private:
  Ledger(Disk& disk, Path state, Life life);
  Result<void> save(Life life);
  void record(const Row& row, UtcTime now);
  void record_inference(UtcTime now);
  void append(const std::string& line);

  Disk& disk_;
  Path state_;
  mutable std::mutex mutex_;
  Life life_;
};

}  // namespace lineside::node
