// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/trust/json.h"

namespace lineside::ctl {
namespace {

Error problem_of(const http::Reply& reply, const std::string& target) {
  Error plain{Code::kHttp, fmt::format("{}: the gateway answers {}", target, reply.status)};
  Result<nlohmann::json> document = trust::parse_json(reply.body, "problem");
  if (!document.ok() || !document->is_object()) return plain;
  auto code = document->find("code");
  auto detail = document->find("detail");
  if (code == document->end() || !code->is_string()) return plain;
  std::string words =
      detail != document->end() && detail->is_string() ? detail->get<std::string>() : plain.what;
  return {code_of_name(code->get<std::string>()), words};
}

}  // namespace

Result<void> settle_post(const Error& lost, const Result<Bytes>& shown, BytesView ours) {
  if (shown.ok() && std::equal(shown->begin(), shown->end(), ours.begin(), ours.end())) return ok();
  if (shown.ok() || shown.error().code == Code::kNotFound) {
    return Error{lost.code, lost.what +
                                "; the gateway does not hold what was signed: give the command "
                                "again"};
  }
  return Error{lost.code, lost.what +
                              "; the gateway may hold what was signed all the same: look with "
                              "`lineside status` before you give the command again"};
}

Code code_of_name(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    if (code_name(static_cast<Code>(i)) == name) return static_cast<Code>(i);
  }
  return Code::kHttp;
}

Result<Gateway> Gateway::connect(const std::string& address, const trust::PublicKey& pinned,
                                 const trust::PrivateKey& own) {
  if (address.empty()) {
    return Error{Code::kUsage,
                 "the gateway's address is not known: name it with --gateway IP:port"};
  }
  TRY_ASSIGN(std::string pem, own.to_pem(std::nullopt));
  TRY_ASSIGN(http::Identity identity, http::Identity::make(pem, "lineside operator"));
  http::ClientOptions options;
  options.base_url = "https://" + address + "/";
  options.pinned_keys = {pinned.spki()};
  options.identity = std::move(identity);
  options.max_body_bytes = 256ULL << 20;
  options.user_agent = "lineside-ctl";
  TRY_ASSIGN(http::Client client, http::Client::make(options));
  return Gateway(std::move(options), std::move(client));
}

Result<http::Client> Gateway::below(const std::string& path) const {
  http::ClientOptions options = options_;
  options.base_url += path;
  return http::Client::make(std::move(options));
}

Result<Bytes> Gateway::get(const std::string& target) {
  TRY_ASSIGN(http::Reply reply, client_.get(target));
  if (reply.status / 100 != 2) return problem_of(reply, target);
  return std::move(reply.body);
}

Result<Bytes> Gateway::post(const std::string& target, BytesView body) {
  TRY_ASSIGN(http::Reply reply,
             client_.request("POST", target, body, {{"content-type", "application/json"}}));
  if (reply.status / 100 != 2) return problem_of(reply, target);
  return std::move(reply.body);
}

}  // namespace lineside::ctl
