// SPDX-License-Identifier: Apache-2.0
#include "proto/http/fetcher.h"

namespace lineside::http {
namespace {

// A portal's or proxy's page. What is fetched here is JSON or a listing and never begins with '<',
// so that a server which calls everything text/html is put up with.
bool is_page(const Reply& reply) {
  std::string_view text = as_text(reply.body);
  std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != text.npos && text[begin] == '<' && looks_like_html(reply.headers, reply.body);
}

}  // namespace

Result<Bytes> HttpFetcher::fetch(std::string_view path, std::uint64_t max_bytes) {
  TRY_ASSIGN(Reply reply, client_.get_at_most(path, max_bytes, stop_));
  if (reply.status == 200 && !is_page(reply)) return std::move(reply.body);
  std::string what = client_.origin() + ' ' + std::string(path) + ": " +
                     std::to_string(reply.status) + ' ' + reason_phrase(reply.status);
  if (reply.status == 200) return Error{Code::kHttp, what + ": an HTML page instead of the file"};
  if (reply.status == 404 || reply.status == 403) return Error{Code::kNotFound, what};
  if (looks_like_html(reply.headers, reply.body)) what += " (an HTML page)";
  return Error{Code::kHttp, what};
}

Result<Path> resolve_below(const Disk& disk, const Path& root, std::string_view decoded_path) {
  Path place = root;
  FileType type = FileType::kDirectory;
  while (!decoded_path.empty()) {
    decoded_path.remove_prefix(1);  // the slash
    std::size_t end = std::min(decoded_path.find('/'), decoded_path.size());
    place /= decoded_path.substr(0, end);
    decoded_path.remove_prefix(end);
    TRY_ASSIGN(auto info, disk.stat(place));
    if (!info) return Error{Code::kNotFound, place.string() + " does not exist"};
    type = info->type;
    if (type == FileType::kLink) return Error{Code::kDenied, place.string() + " is a link"};
  }
  if (type != FileType::kFile) return Error{Code::kNotFound, place.string() + " is no file"};
  return place;
}

Result<Bytes> DirectoryFetcher::fetch(std::string_view path, std::uint64_t max_bytes) {
  std::string absolute = path.starts_with("/") ? std::string(path) : '/' + std::string(path);
  TRY_ASSIGN(Target target, parse_target(absolute));
  TRY_ASSIGN(Path file, resolve_below(disk_, root_, target.path));
  return disk_.read(file, max_bytes);
}

}  // namespace lineside::http
