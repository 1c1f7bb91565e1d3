// SPDX-License-Identifier: Apache-2.0
// The two real sources of a TUF client's bytes: an HTTP server and a folder, e.g. a USB stick.
#pragma once

#include <stop_token>

#include "proto/base/disk.h"
#include "proto/http/client.h"
#include "proto/trust/tuf/fetcher.h"

namespace lineside::http {

// One thread at a time, like its Client, which must outlive it.
class HttpFetcher final : public trust::Fetcher {
 public:
  explicit HttpFetcher(Client& client, std::stop_token stop = {})
      : client_(client), stop_(std::move(stop)) {}
  // 404 and 403 are kNotFound; another status than 200 is kHttp and names URL and status; so is an
  // HTML page with status 200 (a portal's, a proxy's), since no TUF file is one. The whole of
  // Client::request's codes. `max_bytes` is also bounded by the client's own max_body_bytes.
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override;

 private:
  Client& client_;
  std::stop_token stop_;
};

// Reads below `root` and nowhere else: the path is decoded and checked like a request's, and no
// link is followed on the way. `disk` must outlive it.
class DirectoryFetcher final : public trust::Fetcher {
 public:
  DirectoryFetcher(const Disk& disk, Path root) : disk_(disk), root_(std::move(root)) {}
  // kNotFound, kTooLarge, kMalformed for a path that is none, kDenied for a link, kIo.
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override;

 private:
  const Disk& disk_;
  Path root_;
};

// The file that a decoded path ("/a/b", see Target) names below `root`; kDenied if a component on
// the way is a symbolic link, kNotFound if nothing or no regular file is there.
Result<Path> resolve_below(const Disk& disk, const Path& root, std::string_view decoded_path);

}  // namespace lineside::http
