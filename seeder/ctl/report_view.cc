// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "seeder/ctl/drafts.h"
#include "seeder/ctl/view_text.h"
#include "seeder/ctl/views.h"

namespace lineside::ctl {
namespace {

using seeder::NodeRow;
using seeder::SiteStatus;

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

// What the plan foretold beside what became of it.
std::string forecast_table(const SiteStatus& status) {
  const seeder::Forecast& told = *status.rollout->forecast;
  TransferSums moved = sums(status);
  auto seconds = [](std::int64_t count) { return duration_text(std::chrono::seconds(count)); };
  auto found = status.rollout->endings.find("confirmed");
  std::int64_t confirmed = found == status.rollout->endings.end() ? 0 : found->second;
  return table(
      {"", "FORESEEN", "FACT"},
      {{"devices", std::to_string(told.devices), fmt::format("{} confirmed", confirmed)},
       {"WAN", bytes_text(told.wan_bytes), bytes_text(moved.wan)},
       {"LAN", bytes_text(told.lan_bytes), bytes_text(moved.from_gateway + moved.from_peers)},
       {"time", seconds(told.seconds()), seconds(status.rollout->seconds)}});
}

// A cell that no spreadsheet takes for a formula.
std::string csv_cell(const std::string& text) {
  std::string clean = safe(text, 1000);
  if (!clean.empty() && std::string_view("=+-@").find(clean.front()) != std::string_view::npos) {
    clean.insert(clean.begin(), '\'');
  }
  std::string out = "\"";
  for (char c : clean) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) out += (out.empty() ? "" : ",") + csv_cell(cell);
  return out + "\r\n";
}

}  // namespace

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
                    paint(tint_of(node), ending_text(node)), version_text(node),
                    paint(expected ? Tint::kGood : Tint::kNone, tree), difference,
                    bytes_text(gateway_bytes(node)), bytes_text(peer_bytes(node)),
                    check_text(node, status.supply)});
  }
  out += table({"NODE", "ENDING", "VERSION", "TREE ON DISK", "MAX DIFF", "FROM GATEWAY",
                "FROM PEERS", "CHECK"},
               rows);
  TransferSums moved = sums(status);
  out += fmt::format(
      "\nWAN, origin → gateway   {:>10}\ngateway → nodes         {:>10}\n"
      "node → node             {:>10}\n",
      bytes_text(moved.wan), bytes_text(moved.from_gateway), bytes_text(moved.from_peers));
  if (status.rollout && status.rollout->forecast) out += "\n" + forecast_table(status);
  return out;
}

std::string report_csv(const SiteStatus& status) {
  std::string out = csv_line({"device", "batch", "canary", "ending", "health", "why", "version",
                              "tree", "check", "max_difference", "from_gateway", "from_peers"});
  for (const NodeRow& node : status.nodes) {
    if (status.rollout && !node.batch) continue;
    out += csv_line({node.device, node.batch ? std::to_string(*node.batch) : "",
                     node.canary ? "yes" : "no", node.ending, node.health, node.why,
                     node.report ? node.report->version : "",
                     node.report ? node.report->tree.hex() : "", check_text(node, status.supply),
                     max_difference(node), std::to_string(gateway_bytes(node)),
                     std::to_string(peer_bytes(node))});
  }
  return out;
}

}  // namespace lineside::ctl
