// SPDX-License-Identifier: Apache-2.0
#include "proto/http/message.h"

#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

namespace lineside::http {
namespace {

int status_of(Code code) {
  switch (code) {
    case Code::kUsage:
    case Code::kMalformed:
      return 400;
    case Code::kUnknownKey:
    case Code::kBadSignature:
    case Code::kWrongSite:
    case Code::kWrongDevice:
    case Code::kDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kExists:
    case Code::kConflict:
    case Code::kRollback:
    case Code::kGateShut:
      return 409;
    case Code::kTooLarge:
      return 413;
    case Code::kUnsupported:
      return 415;
    case Code::kExpired:
    case Code::kMismatch:
    case Code::kWrongHardware:
    case Code::kIncompatible:
      return 422;
    case Code::kNetwork:
    case Code::kHttp:
      return 502;
    case Code::kTimeout:
      return 504;
    case Code::kNoSpace:
    case Code::kBudget:
      return 507;
    default:
      return 500;
  }
}

}  // namespace

Response text_response(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = to_bytes(text);
  return response;
}

Response json_response(int status, std::string_view json) {
  Response response = text_response(status, json);
  response.content_type = "application/json";
  return response;
}

Response problem(int status, const Error& error) {
  std::string code(code_name(error.code));
  nlohmann::ordered_json body = {{"type", "urn:lineside:error:" + code},
                                 {"title", reason_phrase(status)},
                                 {"status", status},
                                 {"detail", error.what},
                                 {"code", code}};
  // An error may quote bytes that are no UTF-8.
  auto replace = nlohmann::ordered_json::error_handler_t::replace;
  Response response = text_response(status, body.dump(-1, ' ', false, replace) + "\n");
  response.content_type = "application/problem+json";
  return response;
}

Response problem(const Error& error) {
  return problem(status_of(error.code), error);
}

std::string reason_phrase(int status) {
  auto number = static_cast<unsigned>(status);
  if (boost::beast::http::int_to_status(number) == boost::beast::http::status::unknown) {
    return "Unknown";
  }
  auto phrase = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(number));
  return {phrase.data(), phrase.size()};
}

}  // namespace lineside::http
