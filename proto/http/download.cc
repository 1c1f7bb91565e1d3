// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "proto/http/client_state.h"

namespace lineside::http {
namespace {

constexpr std::size_t kPiece = 128 * 1024;

// Both ends of the permitted speed.
class Pace {
 public:
  explicit Pace(const DownloadOptions& options)
      : options_(options), begin_(std::chrono::steady_clock::now()), window_begin_(begin_) {}

  // "Slow retrieval" (TUF's name for the attack) once a whole window stayed below the least rate.
  // Time that we paused ourselves is not held against the server.
  Result<void> count(std::size_t bytes) {
    total_ += bytes;
    window_bytes_ += bytes;
    auto elapsed = std::chrono::steady_clock::now() - window_begin_ - paused_;
    if (options_.min_bytes_per_second == 0 || elapsed < options_.min_rate_window) return ok();
    double seconds = std::chrono::duration<double>(elapsed).count();
    double least = static_cast<double>(options_.min_bytes_per_second) * seconds;
    if (static_cast<double>(window_bytes_) < least) {
      return Error{Code::kTimeout, "slow retrieval: " + std::to_string(window_bytes_) +
                                       " bytes within " + std::to_string(seconds) + " s"};
    }
    window_begin_ = std::chrono::steady_clock::now();
    window_bytes_ = 0;
    paused_ = {};
    return ok();
  }

  Result<void> hold_back(Wire& wire) {
    if (options_.max_bytes_per_second == 0) return ok();
    auto due = begin_ + std::chrono::nanoseconds(static_cast<std::int64_t>(
                            1e9 * static_cast<double>(total_) /
                            static_cast<double>(options_.max_bytes_per_second)));
    auto now = std::chrono::steady_clock::now();
    if (due <= now) return ok();
    paused_ += due - now;
    return wire.pause(due - now, options_.stop);
  }

 private:
  const DownloadOptions& options_;
  SteadyTime begin_;
  SteadyTime window_begin_;
  std::chrono::steady_clock::duration paused_{};
  std::uint64_t total_ = 0;
  std::uint64_t window_bytes_ = 0;
};

struct Plan {
  std::string url;  // for messages
  std::uint64_t offset = 0;
  std::uint64_t expected = 0;
};

Error mismatch(const Plan& plan, const std::string& what) {
  return {Code::kMismatch,
          plan.url + ": " + what + ", expected " + std::to_string(plan.expected) + " bytes"};
}

Error bad_status(const Plan& plan, const Exchange& exchange) {
  int status = exchange.status();
  std::string text = plan.url + ": " + std::to_string(status) + ' ' + reason_phrase(status);
  if (status == 416) return mismatch(plan, "the server's file is shorter than the part we hold");
  if (status == 404 || status == 403) return {Code::kNotFound, text};
  return {Code::kHttp, text + (looks_like_html(exchange.headers(), {}) ? " (an HTML page)" : "")};
}

// Where in the file the body begins: the offset asked for, or 0 if the server sends everything.
Result<std::uint64_t> check_head(const Plan& plan, const Exchange& exchange) {
  if (exchange.status() != 200 && exchange.status() != 206) return bad_status(plan, exchange);
  Headers headers = exchange.headers();
  std::uint64_t begin = 0;
  if (exchange.status() == 206) {
    TRY_ASSIGN(ContentRange range, parse_content_range(headers["content-range"]));
    if (range.total && *range.total != plan.expected) {
      return mismatch(plan, "the server's file has " + std::to_string(*range.total) + " bytes");
    }
    if (range.first != plan.offset || range.last + 1 != plan.expected) {
      return mismatch(plan, "the server sends another range than the one asked for");
    }
    begin = plan.offset;
  }
  auto length = exchange.content_length();
  bool fits = length && *length == plan.expected - begin;
  if (!fits && looks_like_html(headers, {})) {
    return Error{Code::kHttp, plan.url + ": an HTML page instead of the file"};
  }
  if (length && !fits) {
    return mismatch(plan, "the server sends " + std::to_string(*length) + " bytes");
  }
  return begin;
}

Result<std::uint64_t> bytes_held(const Disk& disk, const Path& partial) {
  TRY_ASSIGN(auto info, disk.stat(partial));
  return info ? info->size : 0;
}

Result<void> copy_body(const Plan& plan, Exchange& exchange, Wire& wire, OutputFile& file,
                       std::uint64_t have, const DownloadOptions& options) {
  Pace pace(options);
  Bytes piece(kPiece);
  while (true) {
    TRY_ASSIGN(std::size_t count, exchange.read(piece));
    if (count == 0) break;
    std::uint64_t room = plan.expected - have;
    TRY(file.append(BytesView(piece).first(std::min<std::uint64_t>(count, room))));
    if (count > room) return mismatch(plan, "the server sends more");
    have += count;
    if (options.progress) options.progress(have);
    if (have < plan.expected) {
      TRY(pace.count(count));
      TRY(pace.hold_back(wire));
    }
  }
  if (have != plan.expected) {
    return Error{Code::kNetwork, plan.url + ": the body ended after " + std::to_string(have) +
                                     " of " + std::to_string(plan.expected) + " bytes"};
  }
  return ok();
}

}  // namespace

Result<DownloadResult> Client::download(std::string_view target, Disk& disk, const Path& partial,
                                        const DownloadOptions& options) {
  State& state = *state_;
  TRY_ASSIGN(std::string place, state.resolve_target(target));
  Plan plan{state.base.origin() + place, 0, options.expected_length};
  std::uint64_t before = state.received;
  TRY_ASSIGN(std::uint64_t held, bytes_held(disk, partial));
  if (!options.resume || held > plan.expected) {
    TRY(disk.remove(partial));
    held = 0;
  }
  plan.offset = held;
  if (held == plan.expected && held > 0) return DownloadResult{held, held, 0};
  Headers headers;
  if (held > 0) headers["Range"] = "bytes=" + std::to_string(held) + "-";
  TRY_ASSIGN(auto exchange,
             state.start("GET", place, {}, headers, options.stop, SteadyTime::max()));
  Result<std::uint64_t> begin = check_head(plan, *exchange);
  Result<void> done;
  if (begin.ok()) {
    if (*begin == 0) done = disk.remove(partial);
    if (done.ok()) {
      auto file = disk.reopen(partial);
      done = file.ok() ? copy_body(plan, *exchange, *state.wire, **file, *begin, options)
                       : Result<void>(file.error());
      if (file.ok()) {
        Result<void> synced = (*file)->sync();
        if (done.ok()) done = synced;
      }
    }
  }
  state.finish(*exchange);
  if (!begin.ok()) return begin.error();
  TRY(std::move(done));
  return DownloadResult{plan.expected, *begin, state.received - before};
}

}  // namespace lineside::http
