// SPDX-License-Identifier: Apache-2.0
// Commands that look.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "seeder/ctl/commands.h"
#include "seeder/ctl/terminal.h"
#include "seeder/ctl/views.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

}  // namespace

Result<void> status(Session& session) {
  TRY_ASSIGN(seeder::SiteStatus now, session.status());
  if (session.json()) {
    session.out() << to_json(now).dump() << "\n";
  } else {
    ViewOptions options = terminal_options();
    options.max_nodes = 100'000;
    options.width = 0;  // a reason that is cut may lack the part that matters
    session.out() << status_view(now, options);
  }
  call_attention(session, now);
  return ok();
}

Result<void> report(Session& session, std::int64_t sequence, bool csv) {
  if (csv && session.json()) return Error{Code::kUsage, "--csv and --json exclude each other"};
  TRY_ASSIGN(seeder::SiteStatus status, session.status(sequence));
  if (csv) {
    session.out() << report_csv(status);
    return ok();
  }
  if (!session.json()) {
    session.out() << report_view(status, terminal_options());
    return ok();
  }
  TransferSums moved = sums(status);
  json out = to_json(status);
  out["wan"] = moved.wan;
  out["lan_from_gateway"] = moved.from_gateway;
  out["lan_from_peers"] = moved.from_peers;
  session.out() << out.dump() << "\n";
  return ok();
}

Result<void> events(Session& session, std::int64_t after) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  TRY_ASSIGN(Bytes body, gateway->get(fmt::format("/v1/events?after={}", after)));
  TRY_ASSIGN(auto rows, seeder::parse_events(body));
  for (const seeder::EventRow& row : rows) {
    if (session.json()) {
      session.out() << to_json(row).dump() << "\n";
    } else {
      session.out() << fmt::format("{:>5} {} {:<11} {:<20} {}\n", row.number, format_utc(row.at),
                                   row.kind, row.actor, row.text);
    }
  }
  return ok();
}

}  // namespace lineside::ctl
