// SPDX-License-Identifier: Apache-2.0
// What the operator sees. Pure: facts in, text out.
#pragma once

#include <string>
#include <vector>

#include "seeder/operator_api.h"

namespace lineside::ctl {

struct ViewOptions {
  bool colour = false;
  unsigned width = 0;         // columns that a line may take; 0: as many as it has
  unsigned max_nodes = 1000;  // rows; the rest is counted in one line
};

// The live table: site, gate, supply, one row a node. Ends with a line feed.
std::string status_view(const seeder::SiteStatus& status, const ViewOptions& options);

// One line for each thing that differs, for output that is no terminal.
std::vector<std::string> changes(const seeder::SiteStatus& before, const seeder::SiteStatus& after);

// Which devices are not inferring, failed or silent, for people; empty if all is well.
std::string attention_text(const seeder::SiteStatus& status);
// Nothing moves in the rollout any more without an operator: it has ended or is paused.
bool at_rest(const seeder::RolloutRow& rollout);
// What there is to look at in a rollout at rest; empty if every device was confirmed.
std::string rollout_fault(const seeder::RolloutRow& rollout);

// Where the bytes of one rollout came from.
struct TransferSums {
  std::uint64_t wan = 0;           // origin -> gateway
  std::uint64_t from_gateway = 0;  // gateway -> nodes
  std::uint64_t from_peers = 0;    // node -> node
};
TransferSums sums(const seeder::SiteStatus& status);
// The final table and the sums.
std::string report_view(const seeder::SiteStatus& status, const ViewOptions& options);

// A line a device, RFC 4180: for people and programs with spreadsheets. Bytes are plain numbers.
std::string report_csv(const seeder::SiteStatus& status);

// Rows under headings, columns padded to their widest cell. Cells may be UTF-8.
std::string table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows);

}  // namespace lineside::ctl
