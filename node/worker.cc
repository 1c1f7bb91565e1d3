// SPDX-License-Identifier: Apache-2.0
#include "node/worker.h"

#include <utility>

namespace lineside::node {

void Worker::start(std::function<Outcome(std::stop_token)> job) {
  {
    std::scoped_lock lock(mutex_);
    busy_ = true;
    outcome_.reset();
  }
  thread_ = std::jthread([this, job = std::move(job)](std::stop_token stop) {
    Outcome outcome = job(std::move(stop));
    std::scoped_lock lock(mutex_);
    outcome_ = std::move(outcome);
    changed_.notify_all();
  });
}

void Worker::stop() {
  thread_.request_stop();
}

bool Worker::busy() const {
  std::scoped_lock lock(mutex_);
  return busy_;
}

std::optional<Outcome> Worker::take() {
  std::scoped_lock lock(mutex_);
  if (!outcome_) return std::nullopt;
  busy_ = false;
  return std::exchange(outcome_, std::nullopt);
}

bool Worker::wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, time, [this] { return outcome_.has_value(); });
  return !stop.stop_requested();
}

}  // namespace lineside::node
