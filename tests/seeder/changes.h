// SPDX-License-Identifier: Apache-2.0
// Waits for what the supply's threads bring about.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace lineside::seeder {

class Changes {
 public:
  // To be given as SupplyOptions::on_change.
  std::function<void()> listener() {
    return [this] {
      std::lock_guard lock(mutex_);
      ++count_;
      happened_.notify_all();
    };
  }

  // Asks again after each change until `done` is content. False if nothing changed for so long that
  // nothing will.
  template <class Done>
  bool await(Done done) {
    for (;;) {
      std::uint64_t seen = count();
      if (done()) return true;
      std::unique_lock lock(mutex_);
      if (!happened_.wait_for(lock, kForEver, [&] { return count_ != seen; })) return false;
    }
  }

 private:
  static constexpr std::chrono::seconds kForEver{30};

  std::uint64_t count() {
    std::lock_guard lock(mutex_);
    return count_;
  }

  std::mutex mutex_;
  std::condition_variable happened_;
  std::uint64_t count_ = 0;
};

}  // namespace lineside::seeder
