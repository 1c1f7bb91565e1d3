// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/feed.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <random>

namespace lineside::seeder {
namespace {

using nlohmann::json;

// A change beyond this is fetched as a whole: a stream's queue is bounded, an answer is not.
constexpr std::size_t kMaxChangeBytes = http::EventWriter::kMaxQueuedBytes / 2;
constexpr std::chrono::seconds kRateWindow{5};

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Without what is long, and looked at in one view alone: in every row at once when a rollout moves
// or fails, it would fill the streams. /api/checks and /api/pieces have it.
json row_of(NodeRow& node) {
  if (node.report && node.report->check) node.report->check->stderr_tail.clear();
  json row = to_json(node);
  if (node.report && node.report->transfer) row["report"]["transfer"].erase("piece_map");
  return row;
}

std::string new_life() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace

Feed::Feed(FeedSource source)
    : source_(std::move(source)),
      life_(new_life()),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

Feed::~Feed() {
  thread_.request_stop();
  wakes_.notify_all();
  thread_.join();
  for (Subscriber& subscriber : subscribers_) subscriber.writer->close();
}

// Bytes a second of the fetch that goes on. The counters of the store move only when a fetch ends.
void Feed::measure_wan_locked(const SupplyRow& supply) {
  SteadyTime now = source_.clock->steady();
  if (supply.state != "fetching" || (!wan_.empty() && supply.done < wan_.back().done)) wan_.clear();
  if (supply.state == "fetching") wan_.push_back({now, supply.done});
  while (wan_.size() > 2 && now - wan_.front().at > kRateWindow) wan_.pop_front();
}

void Feed::look_locked() {
  SiteStatus status = source_.status();
  newest_event_ = source_.newest_event();
  ++number_;
  std::map<std::string, Row> rows;
  for (NodeRow& node : status.nodes) {
    std::string text = text_of(row_of(node));
    auto before = rows_.find(node.device);
    bool same = before != rows_.end() && before->second.json == text;
    std::uint64_t changed = same ? before->second.changed : number_;
    rows[node.device] = {std::move(text), changed};
    gone_.erase(node.device);
  }
  for (const auto& [device, row] : rows_) {
    if (!rows.contains(device)) gone_[device] = number_;
  }
  rows_ = std::move(rows);
  measure_wan_locked(status.supply);
  status.nodes.clear();
  json site = to_json(status);
  site.erase("nodes");
  if (wan_.size() >= 2 && wan_.back().at > wan_.front().at) {
    std::chrono::duration<double> span = wan_.back().at - wan_.front().at;
    auto moved = static_cast<double>(wan_.back().done - wan_.front().done);
    site["wan_rate"] = static_cast<std::uint64_t>(moved / span.count());
  }
  site_ = text_of(site);
}

std::string Feed::id_locked() const {
  return fmt::format("{}-{}", life_, number_);
}

std::optional<std::uint64_t> Feed::number_of(const std::string& id) const {
  if (!id.starts_with(life_ + "-")) return std::nullopt;
  const char* begin = id.data() + life_.size() + 1;
  const char* end = id.data() + id.size();
  std::uint64_t number = 0;
  auto [stopped, bad] = std::from_chars(begin, end, number);
  if (bad != std::errc() || stopped != end) return std::nullopt;
  return number;
}

// "site":…,"nodes":[…],… of everything that changed after `since`; rows are JSON text already.
std::string Feed::members_locked(std::uint64_t since) const {
  std::string nodes;
  for (const auto& [device, row] : rows_) {
    if (row.changed <= since) continue;
    if (!nodes.empty()) nodes += ',';
    nodes += row.json;
  }
  json gone = json::array();
  for (const auto& [device, changed] : gone_) {
    if (changed > since) gone.push_back(device);
  }
  return fmt::format(R"("site":{},"nodes":[{}],"gone":{},"newest_event":{})", site_, nodes,
                     text_of(gone), newest_event_);
}

std::string Feed::changes_locked(std::uint64_t since) const {
  return "{" + members_locked(since) + "}";
}

std::string Feed::whole() {
  std::lock_guard lock(mutex_);
  look_locked();
  return fmt::format(R"({{"id":"{}",{}}})", id_locked(), members_locked(0));
}

void Feed::tell_locked(Subscriber& subscriber) {
  std::string change = changes_locked(subscriber.seen);
  if (change.size() > kMaxChangeBytes) {
    subscriber.writer->send("reset", "{}");
    subscriber.writer->close();
    return;
  }
  subscriber.writer->send("change", change, id_locked());
  subscriber.seen = number_;
}

void Feed::subscribe(std::shared_ptr<http::EventWriter> writer, const std::string& id,
                     std::function<bool()> welcome) {
  std::lock_guard lock(mutex_);
  std::optional<std::uint64_t> seen = number_of(id);
  if (!seen || *seen > number_) {
    writer->send("reset", "{}");
    writer->close();
    return;
  }
  look_locked();
  Subscriber fresh{std::move(writer), std::move(welcome), *seen};
  tell_locked(fresh);
  subscribers_.push_back(std::move(fresh));
  woken_ = true;
  wakes_.notify_all();
}

void Feed::wake() {
  std::lock_guard lock(mutex_);
  woken_ = true;
  wakes_.notify_all();
}

void Feed::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // Without anybody who looks there is nothing to do.
    if (subscribers_.empty()) {
      wakes_.wait(lock, stop, [this] { return !subscribers_.empty(); });
    } else {
      wakes_.wait_for(lock, stop, source_.every, [this] { return woken_; });
    }
    woken_ = false;
    if (stop.stop_requested()) return;
    std::erase_if(subscribers_, [](Subscriber& subscriber) {
      if (subscriber.writer->open() && subscriber.welcome()) return false;
      subscriber.writer->close();
      return true;
    });
    if (subscribers_.empty()) continue;
    look_locked();
    for (Subscriber& subscriber : subscribers_) tell_locked(subscriber);
  }
}

}  // namespace lineside::seeder
