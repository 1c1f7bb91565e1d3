// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/waiver.h"

#include <fmt/format.h>

namespace lineside::runtime {

Result<std::vector<Waiver>> read_waivers(Config& config) {
  std::vector<Waiver> out;
  for (std::size_t i = 0; i < config.count("waiver"); ++i) {
    std::string key = fmt::format("waiver.{}.", i);
    Waiver one{config.text(key + "rule"),
               config.text(key + "subject"),
               config.text(key + "by"),
               {},
               config.text(key + "reason")};
    std::string until = config.text(key + "until");
    if (until.empty()) break;  // finish() has the line
    auto time = parse_utc(until);
    if (!time.ok()) {
      config.refuse(key + "until", "must be a time like \"2026-12-31T00:00:00Z\"");
      break;
    }
    one.until = *time;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace lineside::runtime
