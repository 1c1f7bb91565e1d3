// SPDX-License-Identifier: Apache-2.0
// Internal to proto/http: turns a handler's Response into what goes on the wire. No sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "proto/base/disk.h"
#include "proto/http/message.h"

namespace lineside::http {

struct Answer {
  int status = 200;
  std::string head;                        // status line to blank line
  Bytes body;                              // sent after the head
  std::function<Result<Bytes>()> next;     // then pieces, if set
  bool chunked = false;                    // how the pieces are framed
  std::optional<std::uint64_t> remaining;  // of the pieces, if the length is known
  std::function<void(std::shared_ptr<EventWriter>)> events;  // then events, if set
  bool keep_alive = true;
};

// Applies HEAD, Range, If-Range and If-None-Match (RFC 9110 sections 9.3.2, 14.2, 13.1), opens the
// file of a FileBody. May block on the disk.
Answer make_answer(const Disk& disk, const Request& request, Response response, bool keep_alive,
                   bool http_1_0);

}  // namespace lineside::http
