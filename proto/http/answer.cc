// SPDX-License-Identifier: Apache-2.0
#include "proto/http/answer.h"

#include <algorithm>
#include <ctime>

#include "proto/http/target.h"

namespace lineside::http {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

std::string_view header(const Headers& headers, const std::string& name) {
  auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

// A line end in a value would let whoever chose the value write headers of ours.
bool is_safe(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// RFC 9110 section 5.6.7.
std::string http_date() {
  std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

std::string format_head(const Response& response, const Headers& own) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ' +
                     reason_phrase(response.status) + "\r\nDate: " + http_date() +
                     "\r\nX-Content-Type-Options: nosniff\r\n";
  if (response.status != 304 && response.status != 204 && is_safe(response.content_type)) {
    head += "Content-Type: " + response.content_type + "\r\n";
  }
  for (const auto& [name, value] : own) head += name + ": " + value + "\r\n";
  for (const auto& [name, value] : response.headers) {
    if (own.contains(name) || !is_safe(name) || !is_safe(value)) continue;
    head += name + ": " + value + "\r\n";
  }
  return head + "\r\n";
}

// Reads `length` bytes from `offset` piece by piece; an error if the file has become shorter.
std::function<Result<Bytes>()> file_pieces(std::shared_ptr<const InputFile> file,
                                           std::uint64_t offset, std::uint64_t length) {
  return [file = std::move(file), offset, length]() mutable -> Result<Bytes> {
    Bytes piece(std::min<std::uint64_t>(kPiece, length));
    TRY_ASSIGN(std::size_t count, file->read_at(offset, piece));
    if (count != piece.size()) return Error{Code::kIo, "a file shrank while it was served"};
    offset += count;
    length -= count;
    return piece;
  };
}

struct Source {
  std::shared_ptr<const InputFile> file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

Result<Source> open_source(const Disk& disk, const FileBody& body) {
  Source source;
  TRY_ASSIGN(source.file, disk.open(body.path));
  std::uint64_t size = source.file->size();
  source.offset = body.offset;
  source.length = body.length.value_or(size - std::min(size, body.offset));
  if (source.offset > size || source.length > size - source.offset) {
    return Error{Code::kIo, body.path.string() + " is shorter than the part to be served"};
  }
  return source;
}

// Narrows `source` to the range that was asked for; false for a 416.
bool apply_range(const Request& request, Source& source, Response& response, Headers& own) {
  own["Accept-Ranges"] = "bytes";
  std::string_view wanted = header(request.headers, "range");
  std::string_view only_if = header(request.headers, "if-range");
  bool same = only_if.empty() || only_if == header(response.headers, "etag");
  if (wanted.empty() || !same || request.method != "GET" || response.status != 200) return true;
  std::string total = std::to_string(source.length);
  RangeChoice choice = choose_range(wanted, source.length);
  if (choice.kind == RangeChoice::Kind::kUnsatisfiable) {
    own["Content-Range"] = "bytes */" + total;
    return false;
  }
  if (choice.kind == RangeChoice::Kind::kWhole) return true;
  response.status = 206;
  own["Content-Range"] = "bytes " + std::to_string(choice.offset) + '-' +
                         std::to_string(choice.offset + choice.length - 1) + '/' + total;
  source.offset += choice.offset;
  source.length = choice.length;
  return true;
}

void add_file(const Disk& disk, const Request& request, Response& response, Headers& own,
              Answer& answer) {
  auto source = open_source(disk, std::get<FileBody>(response.body));
  if (!source.ok()) {
    // The path is ours and no concern of the peer.
    bool missing = source.error().code == Code::kNotFound;
    response = missing ? problem(404, {Code::kNotFound, "no such file"})
                       : problem(500, {Code::kIo, "the file cannot be read"});
    answer.body = std::get<Bytes>(response.body);
    own["Content-Length"] = std::to_string(answer.body.size());
    return;
  }
  if (!apply_range(request, *source, response, own)) {
    response = problem(416, {Code::kUsage, "the range begins past the end"});
    answer.body = std::get<Bytes>(response.body);
    own["Content-Length"] = std::to_string(answer.body.size());
    return;
  }
  own["Content-Length"] = std::to_string(source->length);
  answer.remaining = source->length;
  answer.next = file_pieces(source->file, source->offset, source->length);
}

bool not_modified(const Request& request, const Response& response) {
  std::string_view known = header(request.headers, "if-none-match");
  std::string_view etag = header(response.headers, "etag");
  bool read = request.method == "GET" || request.method == "HEAD";
  return read && response.status == 200 && !etag.empty() && known == etag;
}

}  // namespace

Answer make_answer(const Disk& disk, const Request& request, Response response, bool keep_alive,
                   bool http_1_0) {
  Answer answer;
  Headers own;
  if (not_modified(request, response)) {
    response.status = 304;
    response.body = Bytes();
  }
  if (auto* bytes = std::get_if<Bytes>(&response.body)) {
    answer.body = std::move(*bytes);
    if (response.status != 304 && response.status != 204) {
      own["Content-Length"] = std::to_string(answer.body.size());
    }
  } else if (std::holds_alternative<FileBody>(response.body)) {
    add_file(disk, request, response, own, answer);
  } else if (auto* pulled = std::get_if<PulledBody>(&response.body)) {
    answer.next = std::move(pulled->next);
    answer.remaining = pulled->length;
    answer.chunked = !pulled->length && !http_1_0;
    if (pulled->length) own["Content-Length"] = std::to_string(*pulled->length);
    if (answer.chunked) own["Transfer-Encoding"] = "chunked";
    if (!pulled->length && http_1_0) keep_alive = false;
  } else {
    answer.events = std::move(std::get<EventBody>(response.body).start);
    response.content_type = "text/event-stream";
    own["Cache-Control"] = "no-store";
    keep_alive = false;
  }
  answer.status = response.status;
  answer.keep_alive = keep_alive;
  own["Connection"] = keep_alive ? "keep-alive" : "close";
  answer.head = format_head(response, own);
  if (request.method == "HEAD") {
    answer.body.clear();
    answer.next = nullptr;
    answer.events = nullptr;
    answer.remaining.reset();
    answer.chunked = false;
  }
  return answer;
}

}  // namespace lineside::http
