// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/static_origin.h"

#include <stdexcept>

#include "proto/http/fetcher.h"

namespace lineside::fakes {
namespace {

using http::PulledBody;
using http::Request;
using http::Response;

// The pieces in order, then `last`.
std::function<Result<Bytes>()> once(Bytes piece, std::function<Result<Bytes>()> last) {
  bool first = true;
  return [piece = std::move(piece), last = std::move(last), first]() mutable -> Result<Bytes> {
    if (!first) return last();
    first = false;
    return piece.empty() ? last() : std::move(piece);
  };
}

Result<Bytes> broken() {
  return Error{Code::kNetwork, "cut on purpose"};
}

Response pulled(std::optional<std::uint64_t> length, std::function<Result<Bytes>()> next) {
  Response response;
  response.body = PulledBody{length, std::move(next)};
  return response;
}

}  // namespace

Response serve_file(const Disk& disk, const Path& root, const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return http::problem(405, {Code::kUsage, "GET and HEAD only"});
  }
  auto file = http::resolve_below(disk, root, request.path);
  if (!file.ok()) return http::problem(404, {Code::kNotFound, "no such file"});
  Response response;
  response.body = http::FileBody{*file, 0, std::nullopt};
  return response;
}

StaticOrigin::StaticOrigin(Path root, http::ServerOptions options)
    : root_(std::move(root)), tls_(options.identity.has_value()) {
  auto server = http::Server::start(std::move(options),
                                    [this](const Request& request) { return answer(request); });
  if (!server.ok()) throw std::runtime_error(server.error().describe());
  server_ = std::move(server).value();
}

StaticOrigin::~StaticOrigin() {
  release();
  server_->stop();
}

std::string StaticOrigin::url() const {
  return (tls_ ? "https://" : "http://") + server_->endpoint().text();
}

void StaticOrigin::misbehave(Misdeed deed, std::uint64_t at, int times) {
  std::lock_guard lock(mutex_);
  deed_ = deed;
  at_ = at;
  times_ = times;
}

void StaticOrigin::release() {
  std::lock_guard lock(mutex_);
  free_ = true;
  released_.notify_all();
}

void StaticOrigin::await_request() {
  std::unique_lock lock(mutex_);
  asked_.wait(lock, [this] { return asked_once_; });
}

Response StaticOrigin::answer(const Request& request) {
  Misdeed deed;
  std::uint64_t at;
  {
    std::lock_guard lock(mutex_);
    deed = times_ == 0 ? Misdeed::kNone : deed_;
    at = at_;
    if (times_ > 0) --times_;
    asked_once_ = true;
    asked_.notify_all();
  }
  if (deed == Misdeed::kNone) return serve_file(*disk_, root_, request);
  auto file = http::resolve_below(*disk_, root_, request.path);
  auto info = file.ok() ? disk_->stat(*file) : Result<std::optional<FileInfo>>(file.error());
  if (!info.ok() || !*info) return http::problem(404, {Code::kNotFound, "no such file"});
  return misdeed(deed, at, *file, (*info)->size);
}

Response StaticOrigin::misdeed(Misdeed deed, std::uint64_t at, const Path& file,
                               std::uint64_t size) {
  Bytes whole = disk_->read(file, 1 << 30).value();
  Bytes head(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(std::min(at, size)));
  auto wait = [this]() -> Result<Bytes> {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return free_; });
    return broken();
  };
  switch (deed) {
    case Misdeed::kNotFound:
      return http::problem(404, {Code::kNotFound, "gone"});
    case Misdeed::kServerError:
      return http::problem(500, {Code::kInternal, "broken"});
    case Misdeed::kHtml: {
      Response page = http::text_response(200, "<!DOCTYPE html><html>Please log in</html>");
      page.content_type = "text/html";
      return page;
    }
    case Misdeed::kCut:
      return pulled(size, once(std::move(head), broken));
    case Misdeed::kDrip:
      return pulled(size, once(std::move(head), wait));
    case Misdeed::kWrongLength:
      whole.push_back(0);
      return pulled(size + 1, once(std::move(whole), broken));
    case Misdeed::kOther:
      for (std::uint8_t& byte : whole) byte ^= 0xff;
      return pulled(size, once(std::move(whole), broken));
    case Misdeed::kShrunk: {
      whole.pop_back();
      return pulled(size - 1, once(std::move(whole), broken));
    }
    case Misdeed::kNoRange:
      return pulled(size, once(std::move(whole), broken));
    case Misdeed::kEndless:
      return pulled(std::nullopt, []() -> Result<Bytes> { return Bytes(65536, 'x'); });
    case Misdeed::kNone:
      break;
  }
  return http::problem(500, {Code::kInternal, "no such misdeed"});
}

}  // namespace lineside::fakes
