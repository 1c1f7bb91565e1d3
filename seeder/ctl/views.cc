// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "seeder/ctl/drafts.h"
#include "seeder/ctl/view_text.h"

namespace lineside::ctl {
namespace {

using seeder::NodeRow;
using seeder::SiteStatus;

std::string padded(std::string text, std::size_t width) {
  std::size_t have = columns(text);
  if (have < width) text.append(width - have, ' ');
  return text;
}

// Nine of ten blocks, and how many pieces.
std::string progress_text(const NodeRow& node, const Paint& paint) {
  if (!node.report || !node.report->transfer || node.report->transfer->length == 0) return "";
  const api::Transfer& transfer = *node.report->transfer;
  constexpr std::uint64_t kBlocks = 16;
  std::uint64_t full = std::min(kBlocks, transfer.have * kBlocks / transfer.length);
  std::string bar, rest;
  for (std::uint64_t i = 0; i < kBlocks; ++i) (i < full ? bar : rest) += i < full ? "█" : "░";
  unsigned long long percent = transfer.have * 100 / transfer.length;
  std::uint32_t pieces = 0;
  for (std::uint8_t byte : transfer.piece_map) {
    pieces += static_cast<std::uint32_t>(__builtin_popcount(byte));
  }
  if (transfer.have >= transfer.length) pieces = transfer.pieces;
  Tint tint = transfer.have >= transfer.length ? Tint::kGood : Tint::kBusy;
  return fmt::format("{}{} {:3} % {:>4}/{}", paint(tint, bar), paint(Tint::kDim, rest), percent,
                     pieces, transfer.pieces);
}

std::string supply_line(const SiteStatus& status, const Paint& paint) {
  const seeder::SupplyRow& supply = status.supply;
  std::string text = safe(supply.state, 20);
  if (supply.total > 0 && supply.state == "fetching") {
    text += fmt::format(" {} of {}", bytes_text(supply.done), bytes_text(supply.total));
  }
  Tint tint = supply.state == "waiting" ? Tint::kBad : Tint::kNone;
  std::string out = fmt::format("supply   {}  {}\n", paint(tint, text),
                                paint(Tint::kDim, safe(supply.text, 160)));
  TransferSums moved = sums(status);
  std::string budget =
      status.wan_budget == 0 ? "" : fmt::format(" of {} budget", bytes_text(status.wan_budget));
  out += fmt::format("bytes    WAN {}{}   gateway → nodes {}   node → node {}\n",
                     paint(Tint::kBold, bytes_text(moved.wan)), budget,
                     bytes_text(moved.from_gateway), bytes_text(moved.from_peers));
  return out;
}

std::vector<std::string> node_cells(const NodeRow& node, const seeder::SupplyRow& supply,
                                    const Paint& paint) {
  std::string name = safe(node.device, 64) + (node.canary ? " *" : "");
  std::string bytes;
  if (gateway_bytes(node) + peer_bytes(node) > 0) {
    bytes = bytes_text(gateway_bytes(node)) + " / " + bytes_text(peer_bytes(node));
  }
  return {name,
          node.batch ? std::to_string(*node.batch) : "-",
          paint(tint_of(node), state_text(node)),
          version_text(node),
          progress_text(node, paint),
          bytes,
          check_text(node, supply)};
}

std::string endings_line(const SiteStatus& status, const Paint& paint) {
  std::string out;
  for (const char* name :
       {"confirmed", "pending", "failed", "silent", "stalled", "withdrawn", "unfinished"}) {
    auto found = status.rollout->endings.find(name);
    if (found == status.rollout->endings.end() || found->second == 0) continue;
    Tint tint = std::string_view(name) == "confirmed" ? Tint::kGood
                : std::string_view(name) == "pending" ? Tint::kDim
                                                      : Tint::kBad;
    out += (out.empty() ? "" : "  ") + paint(tint, fmt::format("{} {}", found->second, name));
  }
  return out + "\n";
}

}  // namespace

std::string table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& heading : headings) widths.push_back(columns(heading));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) out += padded(cells[i], widths[i]) + "  ";
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = line(headings);
  for (const auto& row : rows) out += line(row);
  return out;
}

std::string status_view(const SiteStatus& status, const ViewOptions& options) {
  Paint paint(options.colour);
  std::string out = fmt::format(
      "{}  {}  roster {}  {} nodes{}\n", paint(Tint::kBold, "site " + safe(status.site, 64)),
      paint(Tint::kDim, format_utc(status.now)), status.roster_version, status.nodes.size(),
      status.pending == 0 ? "" : fmt::format(", {} ask to be enrolled", status.pending));
  if (status.rollout) out += rollout_lines(status, paint);
  out += supply_line(status, paint);
  out += "origin   " + origin_text(status.origin) + "\n";
  out += "nodes    " + health_line(status, paint) + "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const NodeRow& node : status.nodes) {
    if (rows.size() < options.max_nodes) rows.push_back(node_cells(node, status.supply, paint));
  }
  out += table({"NODE", "BATCH", "STATE", "VERSION", "DELIVERY", "GATEWAY / PEERS", "CHECK"}, rows);
  if (rows.size() < status.nodes.size()) {
    out += fmt::format("… and {} more\n", status.nodes.size() - rows.size());
  }
  if (status.rollout) out += "\n" + endings_line(status, paint);
  return cut_lines(out, options.width);
}

std::vector<std::string> changes(const SiteStatus& before, const SiteStatus& after) {
  std::vector<std::string> lines;
  std::string now = format_utc(after.now);
  if (before.supply.state != after.supply.state) {
    lines.push_back(
        fmt::format("{} supply {} {}", now, after.supply.state, safe(after.supply.text, 160)));
  }
  if (after.rollout) {
    const seeder::RolloutRow& row = *after.rollout;
    const seeder::RolloutRow old = before.rollout.value_or(seeder::RolloutRow{});
    if (old.sequence != row.sequence || old.stage != row.stage || old.paused != row.paused ||
        old.batches_open != row.batches_open || old.gate_open != row.gate_open) {
      lines.push_back(fmt::format("{} rollout {} {}{} batches open {} of {} gate {}: {}", now,
                                  row.sequence, row.stage, row.paused ? " PAUSED" : "",
                                  row.batches_open, row.batch_count,
                                  row.gate_open ? "open" : "shut", safe(row.reason, 300)));
    }
  }
  std::map<std::string, std::string> old_states;
  for (const NodeRow& node : before.nodes) old_states[node.device] = state_text(node);
  for (const NodeRow& node : after.nodes) {
    std::string state = state_text(node);
    if (old_states[node.device] == state) continue;
    std::string check = check_text(node, after.supply);
    lines.push_back(fmt::format("{} node {} {} version {}{}", now, node.device, state,
                                version_text(node), check.empty() ? "" : " (" + check + ")"));
  }
  return lines;
}

std::string attention_text(const SiteStatus& status) {
  constexpr std::size_t kNamed = 10;
  std::string out;
  for (const char* health : {"not-inferring", "damaged", "failed", "silent"}) {
    std::vector<std::string> names;
    for (const NodeRow& node : status.nodes) {
      if (node.health == health) names.push_back(safe(node.device, 64));
    }
    if (names.empty()) continue;
    std::size_t more = names.size() > kNamed ? names.size() - kNamed : 0;
    names.resize(names.size() - more);
    std::string_view word = health;
    if (word == "not-inferring") word = "NOT INFERRING";
    if (word == "damaged") word = "DAMAGED";
    out += fmt::format("{}{}: {}{}", out.empty() ? "" : "; ", word, fmt::join(names, ", "),
                       more == 0 ? "" : fmt::format(" and {} more", more));
  }
  return out;
}

bool at_rest(const seeder::RolloutRow& rollout) {
  return rollout.paused || seeder::stage_has_ended(rollout.stage);
}

std::string rollout_fault(const seeder::RolloutRow& rollout) {
  auto count = [&](const char* ending) {
    auto found = rollout.endings.find(ending);
    return found == rollout.endings.end() ? 0 : found->second;
  };
  bool well = rollout.stage == "done" &&
              count("failed") + count("silent") + count("stalled") + count("unfinished") == 0;
  if (well) return "";
  bool ended = seeder::stage_has_ended(rollout.stage);
  std::string end = ended ? "ended: " + safe(rollout.stage, 20) : "is paused";
  return fmt::format("rollout {} {}: {}", rollout.sequence, end, safe(rollout.reason, 300));
}

}  // namespace lineside::ctl
