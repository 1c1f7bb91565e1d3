// SPDX-License-Identifier: Apache-2.0
#include "seeder/delivered.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"

namespace lineside::seeder {
namespace {

// The part of a report's sums that is in the agent's memory alone.
const api::Transfer* running(const api::NodeReport& report) {
  return report.state == "fetching" && report.transfer ? &*report.transfer : nullptr;
}

// Bytes of one way: those of finished transfers, and those of the running one.
struct Way {
  std::uint64_t finished = 0;
  std::uint64_t present = 0;
};

Way way(std::uint64_t sum, std::uint64_t present) {
  return {sum - std::min(sum, present), std::min(sum, present)};
}

std::uint64_t lost(const Way& last, const Way& now, bool same_transfer) {
  if (same_transfer && now.present >= last.present) return 0;
  bool finished = now.finished >= last.finished + last.present;
  return finished ? 0 : last.present;
}

}  // namespace

Carried carry(const Carried& before, const api::NodeReport& last, const api::NodeReport& now) {
  if (last.directive_sequence != now.directive_sequence) return {};
  const api::Transfer* old = running(last);
  const api::Transfer* present = running(now);
  bool same = old != nullptr && present != nullptr && old->root == present->root;
  auto parts = [](const api::NodeReport& report, const api::Transfer* transfer) {
    return std::pair(
        way(report.delivered_from_gateway, transfer == nullptr ? 0 : transfer->from_gateway),
        way(report.delivered_from_peers, transfer == nullptr ? 0 : transfer->from_peers));
  };
  auto [last_gateway, last_peers] = parts(last, old);
  auto [now_gateway, now_peers] = parts(now, present);
  // One counter that fell is a new process: the other began anew, too, however far it came since.
  same = same && now_gateway.present >= last_gateway.present &&
         now_peers.present >= last_peers.present;
  return {before.from_gateway + lost(last_gateway, now_gateway, same),
          before.from_peers + lost(last_peers, now_peers, same)};
}

api::NodeReport with_carried(api::NodeReport report, const Carried& carried) {
  report.delivered_from_gateway += carried.from_gateway;
  report.delivered_from_peers += carried.from_peers;
  return report;
}

std::string serialise(const api::NodeReport& report, const Carried& carried) {
  nlohmann::json out = api::to_json(report);
  out["carried"] = {{"from_gateway", carried.from_gateway}, {"from_peers", carried.from_peers}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Carried> parse_carried(BytesView text) {
  TRY_ASSIGN(nlohmann::json document, trust::parse_json(text, "stored report"));
  trust::Fields fields(document, "stored report", trust::UnknownMembers::kAllowed);
  Carried carried;
  if (auto member = fields.optional_object("carried")) {
    auto amount = [&](const char* name) {
      return static_cast<std::uint64_t>(member->integer(name, 0, trust::kMaxInteger));
    };
    carried.from_gateway = amount("from_gateway");
    carried.from_peers = amount("from_peers");
  }
  TRY(fields.finish());
  return carried;
}

}  // namespace lineside::seeder
