// SPDX-License-Identifier: Apache-2.0
// An HTTP server over a folder that can be told to misbehave, as origins, proxies and portals do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "proto/http/server.h"

namespace lineside::fakes {

enum class Misdeed {
  kNone,
  kNotFound,
  kServerError,
  kHtml,         // 200 and a portal's page instead of the file
  kCut,          // the connection breaks after `at` bytes of the body
  kDrip,         // `at` bytes, then nothing until release() or the end
  kWrongLength,  // one byte more than the file has is promised and sent
  kOther,        // as many bytes as the file has, but others
  kShrunk,       // the file has become one byte shorter
  kNoRange,      // 200 and the whole file whatever was asked for
  kEndless,      // chunked, without end
};

class StaticOrigin {
 public:
  // Throws std::runtime_error if it cannot listen.
  explicit StaticOrigin(Path root, http::ServerOptions options = {});
  ~StaticOrigin();

  // "http://127.0.0.1:PORT" (https with an identity)
  [[nodiscard]] std::string url() const;
  // For the next `times` requests; -1 is for ever.
  void misbehave(Misdeed deed, std::uint64_t at = 0, int times = -1);
  void behave() { misbehave(Misdeed::kNone); }
  // Lets a drip go on to its (broken) end.
  void release();
  // Until somebody has asked for something.
  void await_request();
  [[nodiscard]] std::uint64_t requests() const { return server_->stats().requests; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return server_->stats().bytes_sent; }
  [[nodiscard]] std::uint64_t connections_accepted() const { return server_->stats().accepted; }
  http::Server& server() { return *server_; }

 private:
  http::Response answer(const http::Request& request);
  http::Response misdeed(Misdeed deed, std::uint64_t at, const Path& file, std::uint64_t size);

  Path root_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  std::mutex mutex_;
  std::condition_variable released_;
  std::condition_variable asked_;
  bool asked_once_ = false;
  bool free_ = false;
  Misdeed deed_ = Misdeed::kNone;
  std::uint64_t at_ = 0;
  int times_ = 0;
  bool tls_ = false;
  std::unique_ptr<http::Server> server_;
};

// What a well-behaved static server answers: the file below `root`, with ranges; 404; 405.
http::Response serve_file(const Disk& disk, const Path& root, const http::Request& request);

}  // namespace lineside::fakes
