// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP/1.1 client for one server: the gateway (pinned key, our certificate) or the
// origin (public authorities, or plain HTTP). Proxies and their environment variables are ignored.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/http/identity.h"
#include "proto/http/message.h"
#include "proto/http/target.h"

namespace lineside::http {

struct ClientOptions {
  // "https://192.0.2.1:7443" or "http://origin/lineside"; its path is where relative paths begin.
  std::string base_url;
  // https only. DER SubjectPublicKeyInfo, one of which the server must hold. Empty: the system's
  // authorities (or those of `ca_pem`) and the host name decide.
  std::vector<Bytes> pinned_keys = {};
  // https only, without pinned keys: whatever key the server shows is taken. For documents that
  // verify themselves, as long as no roster says whose key it must be.
  bool any_key = false;
  std::string ca_pem = {};
  std::optional<Identity> identity = {};  // our client certificate
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds read_timeout{30'000};  // without one byte
  std::chrono::milliseconds total_timeout{
      120'000};  // of request(), body included; not of download()
  std::uint64_t max_body_bytes = 16 << 20;
  unsigned max_redirects = 0;  // followed within the same origin only, for GET and HEAD
  std::string user_agent = "lineside";
};

struct Reply {
  int status = 0;
  Headers headers;
  Bytes body;
};

struct DownloadOptions {
  std::uint64_t expected_length = 0;
  bool resume = true;                         // from what the partial file holds
  std::uint64_t max_bytes_per_second = 0;     // 0 = no limit
  std::uint64_t min_bytes_per_second = 1024;  // over a window; 0 = no watchdog
  std::chrono::milliseconds min_rate_window{30'000};
  std::function<void(std::uint64_t have)> progress;  // bytes in the file; after each write
  std::stop_token stop;
};

struct DownloadResult {
  std::uint64_t length = 0;        // of the file, always expected_length
  std::uint64_t resumed_from = 0;  // bytes that were there before
  std::uint64_t received = 0;      // bytes of this call, heads included, TLS not
};

// One thread at a time; keeps one connection open between calls.
class Client {
 public:
  // kUsage for a bad base URL, or TLS options with http://.
  static Result<Client> make(ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // `target`: a whole URL of the same origin, "/absolute/path?query", or a path relative to the
  // base URL; percent-encoded by the caller (see encode_path). Any status is a Reply.
  //
  // A connection that the server closed while idle is replaced silently: always if that shows
  // before sending, and once after sending for methods that may be repeated (RFC 9110
  // section 9.2.2), so never for POST.
  //
  // kNetwork, kTimeout, kCancelled, kUnknownKey (pin or certificate), kDenied (the server refuses
  // our certificate), kTooLarge (more than max_body_bytes, declared or not), kMalformed (not HTTP),
  // kUsage.
  Result<Reply> request(std::string_view method, std::string_view target, BytesView body = {},
                        const Headers& headers = {}, std::stop_token stop = {});
  Result<Reply> get(std::string_view target, std::stop_token stop = {});
  // The same with a bound of its own, if that is below max_body_bytes.
  Result<Reply> get_at_most(std::string_view target, std::uint64_t max_bytes,
                            std::stop_token stop = {});

  // GETs into `partial`, appending to what is there (resume) or from the start, and syncs it. Bytes
  // of an earlier version are not noticed: the caller compares the whole with the signed root.
  // Never writes more than expected_length bytes. After an error the file holds what came and the
  // next call resumes.
  //
  // Beside request()'s codes: kNotFound (403, 404), kHttp (another status, or an HTML page instead
  // of the file), kMismatch (the server's file has another length, or its range is not the one
  // asked for), kNetwork (the body ended early), kTimeout ("slow retrieval"), and what Disk
  // returns.
  Result<DownloadResult> download(std::string_view target, Disk& disk, const Path& partial,
                                  const DownloadOptions& options);

  // Bytes received since the client was made, failed calls included, without TLS: for byte budgets.
  [[nodiscard]] std::uint64_t bytes_received() const;
  // "https://host:port"
  [[nodiscard]] std::string origin() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// True if a reply is a web page, e.g. of a captive portal, where a file was expected.
bool looks_like_html(const Headers& headers, BytesView body);

}  // namespace lineside::http
