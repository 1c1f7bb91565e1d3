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
                    paint(expected ? Tint::kGood : Tint::kNone, tree),
                    check_text(node, status.supply), difference, bytes_text(gateway_bytes(node)),
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
