// SPDX-License-Identifier: Apache-2.0
#include "proto/http/exchange.h"

#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <limits>

namespace lineside::http {
namespace {

namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;
using Parser = beast::http::response_parser<beast::http::buffer_body>;

constexpr std::uint32_t kMaxHead = 32 * 1024;

// A Wire as Beast's SyncReadStream; keeps our own error, which says more.
struct Source {
  Wire& wire;
  std::stop_token stop;
  SteadyTime deadline;
  std::uint64_t received = 0;
  std::optional<Error> failed;

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, ErrorCode& error) {
    boost::asio::mutable_buffer first = *boost::asio::buffer_sequence_begin(buffers);
    auto count =
        wire.read_some({static_cast<std::uint8_t*>(first.data()), first.size()}, stop, deadline);
    error = {};
    if (!count.ok()) {
      failed = count.error();
      error = boost::asio::error::connection_aborted;
      return 0;
    }
    received += *count;
    if (*count == 0) error = boost::asio::error::eof;
    return *count;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    ErrorCode error;
    std::size_t count = read_some(buffers, error);
    if (error) throw boost::system::system_error(error);
    return count;
  }
};

}  // namespace

struct Exchange::State {
  Source source;
  std::string name;
  beast::flat_buffer buffer{kMaxHead + 256 * 1024};
  std::optional<Parser> parser;
  bool head_only = false;

  Error failure(const ErrorCode& error);
  Result<void> read_head();
};

Error Exchange::State::failure(const ErrorCode& error) {
  if (source.failed) return *source.failed;
  if (error == beast::http::error::end_of_stream || error == beast::http::error::partial_message ||
      error == boost::asio::error::eof) {
    return {Code::kNetwork, name + " closed the connection before the answer was complete"};
  }
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
    return {Code::kTooLarge, name + " answers with a head over 32 KiB"};
  }
  return {Code::kMalformed, name + " does not speak HTTP/1.1: " + error.message()};
}

Result<void> Exchange::State::read_head() {
  // Interim answers (1xx) come before the one that counts; a few are plenty.
  for (int interim = 0; interim < 8; ++interim) {
    parser.emplace();
    parser->header_limit(kMaxHead);
    // The callers count. Not boost::none: with it Boost 1.74 refuses every Content-Length.
    parser->body_limit(std::numeric_limits<std::uint64_t>::max());
    if (head_only) parser->skip(true);
    ErrorCode error;
    beast::http::read_header(source, buffer, *parser, error);
    if (error) return failure(error);
    if (parser->get().result_int() >= 200) return ok();
  }
  return Error{Code::kMalformed, name + " answers with interim responses only"};
}

Exchange::Exchange(Wire& wire, std::string name, std::stop_token stop, SteadyTime deadline)
    : state_(new State{{wire, std::move(stop), deadline, 0, {}}, std::move(name), {}, {}, false}) {}

Exchange::~Exchange() = default;

Result<void> Exchange::begin(const std::string& head, BytesView body, bool head_only) {
  State& state = *state_;
  state.head_only = head_only;
  Source& source = state.source;
  Result<void> sent = source.wire.write(as_bytes(head), source.stop, source.deadline);
  if (sent.ok()) sent = source.wire.write(body, source.stop, source.deadline);
  // A server that refuses a body may answer and close before it has read it all: its answer counts.
  if (!sent.ok() && (sent.error().code != Code::kNetwork || body.empty())) return sent;
  Result<void> answered = state.read_head();
  return !sent.ok() && !answered.ok() ? sent : answered;
}

Result<std::size_t> Exchange::read(std::span<std::uint8_t> out) {
  State& state = *state_;
  auto& body = state.parser->get().body();
  while (!state.parser->is_done()) {
    body.data = out.data();
    body.size = out.size();
    ErrorCode error;
    beast::http::read_some(state.source, state.buffer, *state.parser, error);
    if (error == beast::http::error::need_buffer) error = {};
    if (error) return state.failure(error);
    std::size_t count = out.size() - body.size;
    if (count > 0) return count;
  }
  return std::size_t{0};
}

int Exchange::status() const {
  return static_cast<int>(state_->parser->get().result_int());
}

Headers Exchange::headers() const {
  Headers headers;
  for (const auto& field : state_->parser->get()) {
    std::string name(field.name_string().data(), field.name_string().size());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    std::string value(field.value().data(), field.value().size());
    auto [place, added] = headers.emplace(std::move(name), value);
    if (!added) place->second += ", " + value;
  }
  return headers;
}

std::optional<std::uint64_t> Exchange::content_length() const {
  auto length = state_->parser->content_length();
  if (!length) return std::nullopt;
  return *length;
}

bool Exchange::reusable() const {
  return state_->parser && state_->parser->is_done() && state_->parser->get().keep_alive() &&
         state_->buffer.size() == 0;
}

std::uint64_t Exchange::received() const {
  return state_->source.received;
}

}  // namespace lineside::http
