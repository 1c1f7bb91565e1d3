// SPDX-License-Identifier: Apache-2.0
#include "seeder/origin.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/http/client.h"
#include "proto/http/fetcher.h"
#include "proto/http/target.h"

namespace lineside::seeder {
namespace {

constexpr std::uint64_t kMaxBodyBytes = 256ULL << 20;
constexpr std::uint64_t kCopyBytes = 1ULL << 20;

class HttpOrigin final : public Origin {
 public:
  HttpOrigin(Disk& disk, http::Client client) : disk_(disk), client_(std::move(client)) {}

  Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes,
                      std::stop_token stop) override {
    return http::HttpFetcher(client_, std::move(stop)).fetch(path, max_bytes);
  }

  Result<void> download(std::string_view path, std::uint64_t length, const Path& partial,
                        const FetchOptions& options) override {
    http::DownloadOptions wanted;
    wanted.expected_length = length;
    wanted.max_bytes_per_second = options.max_bytes_per_second;
    wanted.progress = options.progress;
    wanted.stop = options.stop;
    TRY(client_.download(path, disk_, partial, wanted));
    return ok();
  }

  [[nodiscard]] std::uint64_t bytes_received() const override { return client_.bytes_received(); }
  [[nodiscard]] bool crosses_wan() const override { return true; }

 private:
  Disk& disk_;
  http::Client client_;
};

class FolderOrigin final : public Origin {
 public:
  FolderOrigin(Disk& disk, Path root) : disk_(disk), root_(std::move(root)) {}

  Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes,
                      std::stop_token /*stop*/) override {
    return http::DirectoryFetcher(disk_, root_).fetch(path, max_bytes);
  }

  Result<void> download(std::string_view path, std::uint64_t length, const Path& partial,
                        const FetchOptions& options) override {
    TRY_ASSIGN(http::Target target, http::parse_target("/" + std::string(path)));
    TRY_ASSIGN(Path from, http::resolve_below(disk_, root_, target.path));
    TRY_ASSIGN(auto input, disk_.open(from));
    if (input->size() != length) {
      return Error{Code::kMismatch,
                   fmt::format("{}: {} bytes instead of {}", from.string(), input->size(), length)};
    }
    TRY_ASSIGN(auto output, disk_.reopen(partial));
    TRY_ASSIGN(auto present, disk_.stat(partial));
    return copy(*input, *output, present ? present->size : 0, options);
  }

  [[nodiscard]] std::uint64_t bytes_received() const override { return 0; }
  [[nodiscard]] bool crosses_wan() const override { return false; }

 private:
  static Result<void> copy(const InputFile& input, OutputFile& output, std::uint64_t at,
                           const FetchOptions& options) {
    Bytes buffer(kCopyBytes);
    while (at < input.size()) {
      if (options.stop.stop_requested()) return Error{Code::kCancelled, "copy stopped"};
      TRY_ASSIGN(std::size_t got, input.read_at(at, buffer));
      if (got == 0) return Error{Code::kMismatch, "the file became shorter"};
      TRY(output.write_at(at, BytesView(buffer).first(got)));
      at += got;
      if (options.progress) options.progress(at);
    }
    return output.sync();
  }

  Disk& disk_;
  Path root_;
};

}  // namespace

Result<std::unique_ptr<Origin>> open_origin(Disk& disk, const std::string& where,
                                            const std::string& ca_pem) {
  if (!where.starts_with("http://") && !where.starts_with("https://")) {
    return std::unique_ptr<Origin>(std::make_unique<FolderOrigin>(disk, where));
  }
  http::ClientOptions options;
  options.base_url = where.ends_with('/') ? where : where + "/";
  if (where.starts_with("https://")) options.ca_pem = ca_pem;
  options.max_body_bytes = kMaxBodyBytes;
  options.max_redirects = 3;
  options.user_agent = "lineside-seeder";
  TRY_ASSIGN(http::Client client, http::Client::make(std::move(options)));
  return std::unique_ptr<Origin>(std::make_unique<HttpOrigin>(disk, std::move(client)));
}

}  // namespace lineside::seeder
