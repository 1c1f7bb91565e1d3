// SPDX-License-Identifier: Apache-2.0
// Commands that look.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "seeder/ctl/commands.h"
#include "seeder/ctl/views.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

bool on_terminal() {
  return ::isatty(STDOUT_FILENO) != 0;
}

ViewOptions view_options() {
  ViewOptions options;
  options.colour = on_terminal() && ::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) {
    options.width = size.ws_col;
    options.max_nodes = size.ws_row > 14 ? size.ws_row - 12U : 4U;
  }
  return options;
}

// Draws over the last picture: up as many lines as it had, then each line cleared to its end.
void redraw(std::ostream& out, const std::string& picture, std::size_t& lines) {
  std::string text = lines > 0 ? fmt::format("\x1b[{}F", lines) : "";
  for (char c : picture) text += c == '\n' ? "\x1b[K\n" : std::string(1, c);
  out << text << "\x1b[J" << std::flush;
  lines = static_cast<std::size_t>(std::count(picture.begin(), picture.end(), '\n'));
}

void look_at(Session& session, const seeder::SiteStatus& status) {
  if (std::string words = attention_text(status); !words.empty()) {
    session.call_attention(std::move(words));
  }
}

}  // namespace

Result<void> status(Session& session) {
  TRY_ASSIGN(seeder::SiteStatus now, session.status());
  if (session.json()) {
    session.out() << to_json(now).dump() << "\n";
  } else {
    ViewOptions options = view_options();
    options.max_nodes = 100'000;
    session.out() << status_view(now, options);
  }
  look_at(session, now);
  return ok();
}

Result<void> watch(Session& session, const Watch& options) {
  seeder::SiteStatus before;
  std::size_t lines = 0;
  while (true) {
    Result<seeder::SiteStatus> now = session.status();
    bool passing =
        !now.ok() && (now.error().code == Code::kNetwork || now.error().code == Code::kTimeout);
    if (!now.ok() && !passing) return now.error();
    if (now.ok()) {
      if (session.json()) {
        session.out() << to_json(*now).dump() << std::endl;
      } else if (options.live) {
        redraw(session.out(), status_view(*now, view_options()), lines);
      } else {
        for (const std::string& line : changes(before, *now)) session.out() << line << std::endl;
      }
      if (options.until_end && (!now->rollout || at_rest(*now->rollout))) {
        if (!now->rollout) return Error{Code::kConflict, "nothing was rolled out yet"};
        if (std::string fault = rollout_fault(*now->rollout); !fault.empty()) {
          session.call_attention(std::move(fault));
        }
        look_at(session, *now);
        return ok();
      }
      before = std::move(*now);
    }
    std::this_thread::sleep_for(options.every);
  }
}

Result<void> report(Session& session, std::int64_t sequence, bool csv) {
  if (csv && session.json()) return Error{Code::kUsage, "--csv and --json exclude each other"};
  TRY_ASSIGN(seeder::SiteStatus status, session.status(sequence));
  if (csv) {
    session.out() << report_csv(status);
    return ok();
  }
  if (!session.json()) {
    session.out() << report_view(status, view_options());
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
