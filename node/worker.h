// SPDX-License-Identifier: Apache-2.0
// One job at a time on a thread of its own, so that reports go on while it runs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "node/steps.h"

namespace lineside::node {

class Worker {
 public:
  // Only while it is not busy.
  void start(std::function<Outcome(std::stop_token)> job);
  // Asks the job to end; its outcome still has to be taken.
  void stop();
  // A job was started and its outcome is not taken yet.
  [[nodiscard]] bool busy() const;
  // The outcome of a job that has ended, once.
  std::optional<Outcome> take();
  // Returns when a job has ended or the time is over. False if `stop` was asked.
  bool wait(std::chrono::milliseconds time, const std::stop_token& stop);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool busy_ = false;
  std::optional<Outcome> outcome_;
  std::jthread thread_;  // last: joined before the rest goes
};

}  // namespace lineside::node
