// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "proto/trust/document.h"
#include "seeder/ctl/drafts.h"

namespace lineside::ctl {
namespace {

using seeder::NodeRow;
using seeder::SiteStatus;

enum class Tint { kNone, kGood, kBad, kBusy, kDim, kBold };

// Columns on the screen: UTF-8 continuation bytes and colour sequences take none.
std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size() - 1);
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
      ++count;
    }
  }
  return count;
}

std::string padded(std::string text, std::size_t width) {
  std::size_t have = columns(text);
  if (have < width) text.append(width - have, ' ');
  return text;
}

class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  [[nodiscard]] std::string operator()(Tint tint, const std::string& text) const {
    static const std::map<Tint, const char*> kCodes{{Tint::kGood, "32"},
                                                    {Tint::kBad, "31;1"},
                                                    {Tint::kBusy, "36"},
                                                    {Tint::kDim, "2"},
                                                    {Tint::kBold, "1"}};
    auto code = kCodes.find(tint);
    if (!on_ || code == kCodes.end() || text.empty()) return text;
    return fmt::format("\x1b[{}m{}\x1b[0m", code->second, text);
  }

 private:
  bool on_;
};

// Text of others never reaches the terminal with control characters in it.
std::string safe(const std::string& text, std::size_t max = 200) {
  return trust::clean_text(text, max);
}

Tint tint_of(const NodeRow& node) {
  if (node.ending == "confirmed") return Tint::kGood;
  if (node.ending == "failed" || node.ending == "silent" || node.revoked) return Tint::kBad;
  if (!node.report || node.report->state == "idle") return Tint::kDim;
  return Tint::kBusy;
}

std::string state_text(const NodeRow& node) {
  if (node.revoked) return "revoked";
  if (node.ending == "silent") return "silent";
  if (!node.report) return "never heard";
  return safe(node.report->state, 20);
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

std::uint64_t gateway_bytes(const NodeRow& node) {
  return node.report ? node.report->delivered_from_gateway : 0;
}
std::uint64_t peer_bytes(const NodeRow& node) {
  return node.report ? node.report->delivered_from_peers : 0;
}

std::string check_text(const NodeRow& node) {
  if (!node.report) return "";
  if (!node.report->error.empty()) return safe(node.report->error, 60);
  if (!node.report->check) return "";
  const api::CheckSummary& check = *node.report->check;
  std::string text = check.phase + " " + check.verdict;
  if (!check.cause.empty()) return safe(text + ": " + check.cause, 60);
  if (auto p50 = check.measured.find("latency.p50_us"); p50 != check.measured.end()) {
    text += fmt::format(", p50 {} µs", p50->second);
  }
  return safe(text, 60);
}

// The largest difference from a golden output over all cases, as the device measured it.
std::string max_difference(const NodeRow& node) {
  std::optional<double> largest;
  if (!node.report || !node.report->check) return "";
  for (const auto& [name, value] : node.report->check->measured) {
    if (!name.starts_with("infer.case.") || !name.ends_with(".max_diff")) continue;
    double difference = std::strtod(value.c_str(), nullptr);
    largest = std::max(largest.value_or(difference), difference);
  }
  return largest ? fmt::format("{:.2g}", *largest) : "";
}

std::string version_text(const NodeRow& node) {
  if (!node.report || node.report->version.empty()) return "-";
  return safe(node.report->version, 24);
}

std::string mark(const std::string& evidence, const Paint& paint) {
  if (evidence == "passed") return paint(Tint::kGood, "✔");
  if (evidence == "failed" || evidence == "invalid") return paint(Tint::kBad, "✘");
  return paint(Tint::kDim, "…");
}

std::string rollout_lines(const SiteStatus& status, const Paint& paint) {
  const seeder::RolloutRow& rollout = *status.rollout;
  std::string stage = rollout.paused ? "PAUSED" : safe(rollout.stage, 20);
  Tint tint = rollout.paused || rollout.stage == "aborted" ? Tint::kBad
              : rollout.stage == "done"                    ? Tint::kGood
                                                           : Tint::kBusy;
  std::string out = fmt::format("rollout {}  {}  {}  batches open {} of {}\n", rollout.sequence,
                                paint(Tint::kBold, safe(rollout.bundle, 80)), paint(tint, stage),
                                rollout.batches_open, rollout.batch_count);
  out += fmt::format("gate     {}", rollout.gate_open ? paint(Tint::kGood, "open") : "shut");
  for (const seeder::CanaryRow& canary : rollout.canaries) {
    out += fmt::format("   {} {}", safe(canary.device, 64), mark(canary.evidence, paint));
  }
  out += fmt::format("\n         {}\n", paint(Tint::kDim, safe(rollout.reason, 300)));
  return out;
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

std::vector<std::string> node_cells(const NodeRow& node, const Paint& paint) {
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
          check_text(node)};
}

std::string endings_line(const SiteStatus& status, const Paint& paint) {
  std::string out;
  for (const char* name : {"confirmed", "pending", "failed", "silent", "withdrawn"}) {
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
  out += supply_line(status, paint) + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const NodeRow& node : status.nodes) {
    if (rows.size() < options.max_nodes) rows.push_back(node_cells(node, paint));
  }
  out += table({"NODE", "BATCH", "STATE", "VERSION", "DELIVERY", "GATEWAY / PEERS", "CHECK"}, rows);
  if (rows.size() < status.nodes.size()) {
    out += fmt::format("… and {} more\n", status.nodes.size() - rows.size());
  }
  if (status.rollout) out += "\n" + endings_line(status, paint);
  return out;
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
    std::string check = check_text(node);
    lines.push_back(fmt::format("{} node {} {} version {}{}", now, node.device, state,
                                version_text(node), check.empty() ? "" : " (" + check + ")"));
  }
  return lines;
}

TransferSums sums(const SiteStatus& status) {
  TransferSums out;
  if (status.rollout) out.wan = status.rollout->wan_payload + status.rollout->wan_metadata;
  for (const NodeRow& node : status.nodes) {
    if (status.rollout && node.report &&
        node.report->directive_sequence != status.rollout->sequence) {
      continue;
    }
    out.from_gateway += gateway_bytes(node);
    out.from_peers += peer_bytes(node);
  }
  return out;
}

std::string report_view(const SiteStatus& status, const ViewOptions& options) {
  Paint paint(options.colour);
  std::string out;
  if (status.rollout) out += rollout_lines(status, paint) + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const NodeRow& node : status.nodes) {
    if (status.rollout && !node.batch) continue;
    std::string tree = node.report ? node.report->tree.hex().substr(0, 12) : "-";
    bool expected = status.rollout && status.rollout->tree && node.report &&
                    node.report->tree == *status.rollout->tree;
    std::string difference = max_difference(node);
    rows.push_back({safe(node.device, 64) + (node.canary ? " *" : ""),
                    paint(tint_of(node), node.ending.empty() ? state_text(node) : node.ending),
                    version_text(node), paint(expected ? Tint::kGood : Tint::kNone, tree),
                    check_text(node), difference, bytes_text(gateway_bytes(node)),
                    bytes_text(peer_bytes(node))});
  }
  out += table({"NODE", "ENDING", "VERSION", "TREE ON DISK", "CHECK", "MAX DIFF", "FROM GATEWAY",
                "FROM PEERS"},
               rows);
  TransferSums moved = sums(status);
  out += fmt::format(
      "\nWAN, origin → gateway   {:>10}\ngateway → nodes         {:>10}\n"
      "node → node             {:>10}\n",
      bytes_text(moved.wan), bytes_text(moved.from_gateway), bytes_text(moved.from_peers));
  return out;
}

}  // namespace lineside::ctl
