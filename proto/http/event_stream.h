// SPDX-License-Identifier: Apache-2.0
// Server-sent events (WHATWG HTML section 9.2): the writing end of one subscriber's stream.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace lineside::http {

// Any thread. Never blocks. The queue is bounded: a subscriber that does not keep up is cut off
// rather than served an ever older past; a browser reconnects by itself and gets the present.
class EventWriter {
 public:
  static constexpr std::size_t kMaxQueuedBytes = 1 << 20;

  // False once the stream has ended: the client left, did not keep up, or the server stops. Line
  // ends in `data` are kept; `event` and `id` must have none and may be empty.
  bool send(std::string_view event, std::string_view data, std::string_view id = {});
  // What is queued is still sent, then the stream ends.
  void close();
  [[nodiscard]] bool open() const;

  // For the server. `wake` is called, under the writer's lock, when there is something to do.
  void attach(std::function<void()> wake);
  // The client has gone; `wake` is not called again after this returns.
  void detach();
  struct Pending {
    std::string text;
    bool ended = false;
  };
  Pending take();
  // Queues a line that clients ignore, if nothing else is queued.
  void comment();

 private:
  mutable std::mutex mutex_;
  std::string queue_;
  bool open_ = true;
  std::function<void()> wake_;
};

// The wire form of one event; a line of `data` each gets its own "data: ".
std::string format_event(std::string_view event, std::string_view data, std::string_view id);

}  // namespace lineside::http
