// SPDX-License-Identifier: Apache-2.0
// A small site on the loopback interface: real sessions, each at an address 127.x.y.z of its own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "proto/swarm/swarm.h"
#include "proto/trust/merkle.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::swarm {

// Random bytes and all that is signed about them.
struct Payload {
  std::string bytes;
  DeliveryFacts facts;
  std::vector<Digest> leaves;
};

inline Payload make_payload(std::size_t length, unsigned seed = 1) {
  Payload out;
  std::mt19937_64 random(seed);
  out.bytes.reserve(length + 8);
  while (out.bytes.size() < length) {
    const std::uint64_t word = random();
    out.bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  out.bytes.resize(length);
  trust::MerkleHasher hasher;
  hasher.update(as_bytes(out.bytes));
  out.leaves = hasher.finish();
  out.facts = {trust::root_of(out.leaves), length};
  return out;
}

// An address that no other test process uses: tests of one machine run side by side.
inline std::string loopback(unsigned host) {
  const auto process = static_cast<unsigned>(::getpid());
  return "127." + std::to_string(1 + (process >> 8) % 250) + "." + std::to_string(process % 256) +
         "." + std::to_string(host);
}

// One machine of the site.
class Member {
 public:
  explicit Member(unsigned host, SwarmOptions options = {})
      : address_(loopback(host)), disk_(make_posix_disk()), options_(std::move(options)) {
    options_.listen = {address_ + ":0"};
    options_.local_discovery = false;  // who knows whom is for the test to say
    options_.on_change = [this](const Digest&) {
      const std::lock_guard lock(mutex_);
      ++changes_;
      changed_.notify_all();
    };
    start();
  }

  void start() {
    Result<std::unique_ptr<Swarm>> swarm = Swarm::start(*disk_, options_);
    if (!swarm.ok()) throw std::runtime_error(swarm.error().describe());
    swarm_ = std::move(swarm).value();
  }
  // As a service is stopped: the files stay.
  void stop() { swarm_.reset(); }

  Swarm& swarm() { return *swarm_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] Endpoint endpoint() const { return {address_, swarm_->port()}; }
  [[nodiscard]] Path file() const { return dir_ / "delivery"; }
  fakes::TempDir& dir() { return dir_; }
  [[nodiscard]] std::string content() const { return dir_.read("delivery"); }

  void seed(const Payload& payload) {
    dir_.write("delivery", payload.bytes);
    const Result<void> result = swarm_->seed(payload.facts, file(), payload.leaves);
    ASSERT_TRUE(result.ok()) << result.error().describe();
  }
  void fetch(const Payload& payload) {
    const Result<void> result = swarm_->fetch(payload.facts, file(), payload.leaves);
    ASSERT_TRUE(result.ok()) << result.error().describe();
  }
  void meet(const Payload& payload, const Member& other) {
    const std::vector<Endpoint> peers{other.endpoint()};
    const Result<void> result = swarm_->add_peers(payload.facts.root, peers);
    ASSERT_TRUE(result.ok()) << result.error().describe();
  }
  Status status(const Payload& payload) {
    Result<Status> status = swarm_->status(payload.facts.root);
    EXPECT_TRUE(status.ok());
    return status.ok() ? *status : Status{};
  }

  // Waits for changes until `done` holds of the status; fails the test after a minute without.
  Status await(const Payload& payload, const std::function<bool(const Status&)>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    std::unique_lock lock(mutex_);
    while (true) {
      const unsigned seen = changes_;
      lock.unlock();
      Status now = status(payload);
      if (done(now)) return now;
      lock.lock();
      if (!changed_.wait_until(lock, deadline, [&] { return changes_ != seen; })) {
        ADD_FAILURE() << address_ << " waited in vain; " << state_name(now.state) << ", "
                      << now.pieces_have << " of " << now.pieces.size() << " pieces, "
                      << (now.error ? now.error->describe() : "no error");
        return now;
      }
    }
  }
  Status await(const Payload& payload, State state) {
    return await(payload, [state](const Status& now) { return now.state == state; });
  }

 private:
  std::string address_;
  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_;
  SwarmOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned changes_ = 0;
  std::unique_ptr<Swarm> swarm_;  // first to go: it calls on_change
};

}  // namespace lineside::swarm
