// SPDX-License-Identifier: Apache-2.0
// Questions to the origin, and how it has answered lately. Whoever asks waits a moment and then
// goes on with what is known: a WAN link that swallows packets holds up nobody but the one thread
// that talks to the origin.
//
// Any thread, except next() and answer(): the talking thread's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "seeder/operator_api.h"

namespace lineside::seeder {

class OriginQueue {
 public:
  // What a failure or success concerns if it is no bundle: the vendor's metadata.
  static constexpr const char* kMetadata = "metadata";

  struct Question {
    std::string bundle;       // its manifest and listing, too; empty: the vendor's metadata alone
    std::string folder = {};  // not the origin, but this folder is to be imported
    std::optional<Result<void>> answer;
  };
  using Ticket = std::shared_ptr<Question>;

  // The same question that still waits is not asked twice.
  Ticket ask(const std::string& bundle, const std::string& folder = {});
  // The answer if it comes within `patience`, else kTimeout.
  Result<void> await(const Ticket& ticket, std::chrono::milliseconds patience);

  // The oldest question; it stays asked until it is answered.
  Ticket next();
  void answer(const Ticket& ticket, Result<void> result);
  [[nodiscard]] bool empty() const;

  // What the origin did when it was asked about `concerns`. True if people should be told: it began
  // to fail, fails differently, or answers again.
  bool heard(const std::string& concerns, const Result<void>& result, UtcTime now);
  // Nobody is interested in `concerns` any more.
  void forget_failure_unless(const std::string& concerns);
  // Whether the last word about the vendor's metadata or about `bundle` was a failure.
  [[nodiscard]] bool fails(const std::string& bundle) const;
  // Its error is the newest that no good answer about the metadata has followed.
  [[nodiscard]] OriginRow row() const;

 private:
  struct Failure {
    std::string error;
    std::uint64_t number = 0;  // of the word
  };
  [[nodiscard]] OriginRow row_locked() const;

  mutable std::mutex mutex_;
  std::condition_variable answered_;
  std::deque<Ticket> questions_;
  std::map<std::string, Failure> failures_;  // by what they concern
  std::uint64_t words_ = 0;                  // that were heard
  std::uint64_t good_metadata_ = 0;          // the last word that was good about the metadata
  std::optional<UtcTime> succeeded_;
  std::optional<UtcTime> failed_;
};

}  // namespace lineside::seeder
