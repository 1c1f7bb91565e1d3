// SPDX-License-Identifier: Apache-2.0
// The site as the page follows it: one whole state, then what changes.
//
// Every change has a number; each node's row carries the number of its last change. A subscriber
// that was away says the last number it saw and gets what changed since, however long that is; one
// that knows another life of this gateway is told to begin anew. So nothing has to be kept for
// anybody, and whoever reconnects is correct with the first message.
//
//     id     "LIFE-NUMBER", LIFE being random at each start
//     event  "change"  {"site":{…},"nodes":[rows that changed],"gone":[ids],"newest_event":N}
//            "reset"   {}   ask for the whole state
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/clock.h"
#include "proto/http/event_stream.h"
#include "seeder/operator_api.h"

namespace lineside::seeder {

// What there is to be told at one moment.
struct FeedSource {
  std::function<SiteStatus()> status;
  std::function<std::int64_t()> newest_event;
  const Clock* clock = nullptr;  // outlives the feed
  std::chrono::milliseconds every{1000};
};

class Feed {
 public:
  explicit Feed(FeedSource source);
  ~Feed();  // closes all streams
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // JSON text {"id","site","nodes","newest_event"}, as of now. Any thread.
  std::string whole();
  // Feeds `writer` from the change after `id` until it ends or `welcome` says no. Any thread.
  void subscribe(std::shared_ptr<http::EventWriter> writer, const std::string& id,
                 std::function<bool()> welcome);
  // Something happened that nobody should have to wait for.
  void wake();

 private:
  struct Row {
    std::string json;
    std::uint64_t changed = 0;
  };
  struct Subscriber {
    std::shared_ptr<http::EventWriter> writer;
    std::function<bool()> welcome;
    std::uint64_t seen = 0;
  };
  void run(std::stop_token stop);
  void look_locked();
  void measure_wan_locked(const SupplyRow& supply);
  [[nodiscard]] std::string id_locked() const;
  [[nodiscard]] std::optional<std::uint64_t> number_of(const std::string& id) const;
  [[nodiscard]] std::string changes_locked(std::uint64_t since) const;
  [[nodiscard]] std::string members_locked(std::uint64_t since) const;
  void tell_locked(Subscriber& subscriber);

  FeedSource source_;
  std::string life_;
  std::mutex mutex_;
  std::condition_variable_any wakes_;
  bool woken_ = false;
  std::uint64_t number_ = 0;
  std::string site_;
  std::int64_t newest_event_ = 0;
  std::map<std::string, Row> rows_;
  std::map<std::string, std::uint64_t> gone_;  // device -> number of the change
  struct WanSample {
    SteadyTime at;
    std::uint64_t done = 0;
  };
  std::deque<WanSample> wan_;  // of the fetch that is going on
  std::vector<Subscriber> subscribers_;
  std::jthread thread_;
};

}  // namespace lineside::seeder
