// SPDX-License-Identifier: Apache-2.0
#include "proto/http/event_stream.h"

#include <algorithm>
#include <utility>

namespace lineside::http {

bool EventWriter::send(std::string_view event, std::string_view data, std::string_view id) {
  std::string text = format_event(event, data, id);
  std::lock_guard lock(mutex_);
  if (!open_) return false;
  if (queue_.size() + text.size() > kMaxQueuedBytes) {
    open_ = false;
  } else {
    queue_ += text;
  }
  if (wake_) wake_();
  return open_;
}

void EventWriter::close() {
  std::lock_guard lock(mutex_);
  open_ = false;
  if (wake_) wake_();
}

bool EventWriter::open() const {
  std::lock_guard lock(mutex_);
  return open_;
}

void EventWriter::attach(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void EventWriter::detach() {
  std::lock_guard lock(mutex_);
  open_ = false;
  wake_ = nullptr;
  queue_.clear();
}

EventWriter::Pending EventWriter::take() {
  std::lock_guard lock(mutex_);
  return {std::exchange(queue_, {}), !open_};
}

void EventWriter::comment() {
  std::lock_guard lock(mutex_);
  if (!open_ || !queue_.empty()) return;
  queue_ = ":\n\n";
  if (wake_) wake_();
}

std::string format_event(std::string_view event, std::string_view data, std::string_view id) {
  std::string text;
  if (!id.empty()) text += "id: " + std::string(id) + '\n';
  if (!event.empty()) text += "event: " + std::string(event) + '\n';
  while (true) {
    std::size_t end = std::min(data.find_first_of("\r\n"), data.size());
    text += "data: " + std::string(data.substr(0, end)) + '\n';
    if (end == data.size()) return text + '\n';
    bool crlf = data[end] == '\r' && end + 1 < data.size() && data[end + 1] == '\n';
    data.remove_prefix(end + (crlf ? 2 : 1));
  }
}

}  // namespace lineside::http
