// SPDX-License-Identifier: Apache-2.0
// Commands on what crosses the WAN, and on what comes by another way.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "seeder/ctl/commands.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kAskAgain{500};

// The gateway answers within a second whether it is done; asking again waits for the same import.
Result<Bytes> post_until_done(Gateway& gateway, const std::string& body) {
  while (true) {
    Result<Bytes> answer = gateway.post("/v1/mirror/import", as_bytes(body));
    if (answer.ok() || answer.error().code != Code::kTimeout) return answer;
    std::this_thread::sleep_for(kAskAgain);
  }
}

}  // namespace

Result<void> import(Session& session, const Path& folder, const std::string& bundle) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  std::string from = std::filesystem::absolute(folder).lexically_normal().string();
  json asked = {{"folder", from}};
  if (!bundle.empty()) asked["bundle"] = bundle_name(bundle);
  TRY(post_until_done(*gateway, asked.dump()));
  session.out() << (session.json()
                        ? json{{"imported", from}}.dump()
                        : "the gateway has taken what " + from + " holds: see `lineside bundles`")
                << "\n";
  return ok();
}

Result<void> allow(Session& session, const std::string& bundle, std::uint64_t bytes) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  std::string name = bundle_name(bundle);
  TRY(gateway->post("/v1/mirror/allowance",
                    as_bytes(json{{"bundle", name}, {"bytes", bytes}}.dump())));
  session.out() << (session.json()
                        ? json{{"bundle", name}, {"allowed", bytes}}.dump()
                        : fmt::format("{} bytes more may cross the WAN for {}", bytes, name))
                << "\n";
  return ok();
}

}  // namespace lineside::ctl
