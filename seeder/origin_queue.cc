// SPDX-License-Identifier: Apache-2.0
#include "seeder/origin_queue.h"

#include <algorithm>

namespace lineside::seeder {
namespace {

// Failures of this machine, of the budget or of whoever stopped it: nothing of the origin's.
bool is_ours(Code code) {
  return code == Code::kCancelled || code == Code::kNoSpace || code == Code::kIo ||
         code == Code::kBudget || code == Code::kDenied || code == Code::kInternal;
}

}  // namespace

OriginQueue::Ticket OriginQueue::ask(const std::string& bundle, const std::string& folder) {
  std::lock_guard lock(mutex_);
  for (const Ticket& waiting : questions_) {
    if (waiting->bundle == bundle && waiting->folder == folder) return waiting;
  }
  questions_.push_back(std::make_shared<Question>(Question{bundle, folder, std::nullopt}));
  return questions_.back();
}

Result<void> OriginQueue::await(const Ticket& ticket, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (answered_.wait_for(lock, patience, [&] { return ticket->answer.has_value(); })) {
    return *ticket->answer;
  }
  std::string text = "the origin has not answered yet; ask again in a moment";
  if (OriginRow row = row_locked(); !row.error.empty()) text += " (last: " + row.error + ")";
  return Error{Code::kTimeout, text};
}

OriginQueue::Ticket OriginQueue::next() {
  std::lock_guard lock(mutex_);
  return questions_.empty() ? nullptr : questions_.front();
}

void OriginQueue::answer(const Ticket& ticket, Result<void> result) {
  std::lock_guard lock(mutex_);
  std::erase(questions_, ticket);
  ticket->answer = std::move(result);
  answered_.notify_all();
}

bool OriginQueue::empty() const {
  std::lock_guard lock(mutex_);
  return questions_.empty();
}

bool OriginQueue::heard(const std::string& concerns, const Result<void>& result, UtcTime now) {
  std::lock_guard lock(mutex_);
  if (result.ok()) {
    succeeded_ = now;
    ++words_;
    if (concerns == kMetadata) good_metadata_ = words_;
    return failures_.erase(concerns) > 0;
  }
  if (is_ours(result.error().code)) return false;
  failed_ = now;
  Failure& failure = failures_[concerns];
  std::string error = result.error().describe();
  bool is_new = failure.error != error;
  failure = {std::move(error), ++words_};
  return is_new;
}

void OriginQueue::forget_failure_unless(const std::string& concerns) {
  std::lock_guard lock(mutex_);
  std::erase_if(failures_, [&](const auto& failure) { return failure.first != concerns; });
}

bool OriginQueue::fails(const std::string& bundle) const {
  std::lock_guard lock(mutex_);
  return failures_.contains(kMetadata) || failures_.contains(bundle);
}

OriginRow OriginQueue::row() const {
  std::lock_guard lock(mutex_);
  return row_locked();
}

OriginRow OriginQueue::row_locked() const {
  OriginRow row;
  row.succeeded = succeeded_;
  row.failed = failed_;
  std::uint64_t newest = good_metadata_;
  for (const auto& [concerns, failure] : failures_) {
    if (failure.number < newest) continue;
    newest = failure.number;
    row.error = failure.error;
    row.concerns = concerns;
  }
  return row;
}

}  // namespace lineside::seeder
