// SPDX-License-Identifier: Apache-2.0
// What a handler is given and what it gives back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proto/base/bytes.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::http {

class EventWriter;

// Names in lower case. A field given twice has its values joined by ", " (RFC 9110 section 5.3).
using Headers = std::map<std::string, std::string>;

struct Request {
  std::string method;  // as sent, "GET"
  std::string path;    // decoded and safe: see Target in target.h
  std::map<std::string, std::string> query;
  Headers headers;
  Bytes body;
  // DER SubjectPublicKeyInfo of the client's certificate; the handshake proved that the peer holds
  // it. Absent over plain HTTP and for a client without certificate. Whether it is welcome is the
  // handler's.
  std::optional<Bytes> peer_key;
  std::string remote_ip;
};

// A part of a regular file, by default all of it. Range requests count within that part.
struct FileBody {
  Path path;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

// A body made piece by piece. `next` is called on a worker thread, never twice at once; empty bytes
// are the end, an error cuts the connection so that the client notices. Without a length: chunked.
struct PulledBody {
  std::optional<std::uint64_t> length;
  std::function<Result<Bytes>()> next;
};

// Server-sent events. `start` is called once on a worker thread and hands the writer to whoever
// will feed it; see event_stream.h.
struct EventBody {
  std::function<void(std::shared_ptr<EventWriter>)> start;
};

struct Response {
  int status = 200;
  std::string content_type = "application/octet-stream";
  // An "etag" given here makes If-None-Match (304) and If-Range work. Content-Length,
  // Content-Range, Transfer-Encoding, Connection, Date are the server's.
  Headers headers;
  std::variant<Bytes, FileBody, PulledBody, EventBody> body;
};

Response text_response(int status, std::string_view text);
Response json_response(int status, std::string_view json);

// RFC 9457: {"type","title","status","detail","code"}; `code` is code_name(error.code).
Response problem(int status, const Error& error);
// With the status that fits the error's code: kNotFound is 404, kMalformed 400, kUnknownKey and
// kDenied 403, kConflict and kExists 409, kTooLarge 413, kTimeout 504, what is not the client's
// doing 500, …
Response problem(const Error& error);

// "Not Found" for 404; "Unknown" for a number without a phrase.
std::string reason_phrase(int status);

}  // namespace lineside::http
