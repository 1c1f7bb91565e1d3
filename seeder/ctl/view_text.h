// SPDX-License-Identifier: Apache-2.0
// The words and marks that status and report have in common. Pure. What devices and gateway say is
// cleaned here before it reaches a terminal.
#pragma once

#include <map>
#include <string>

#include "seeder/device_health.h"
#include "seeder/operator_api.h"

namespace lineside::ctl {

enum class Tint { kNone, kGood, kBad, kBusy, kDim, kBold };

// Colours, if they are on.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  [[nodiscard]] std::string operator()(Tint tint, const std::string& text) const;

 private:
  bool on_;
};

// Columns on the screen: UTF-8 continuation bytes and colour sequences take none.
std::size_t columns(std::string_view text);
// Without control characters, cut to `max` bytes.
std::string safe(const std::string& text, std::size_t max = 200);

Tint tint_of(const seeder::NodeRow& node);
// What the device does now, the worst first: "NOT INFERRING" before "confirmed".
std::string state_text(const seeder::NodeRow& node);
// How it ended in the rollout, and beside it that it does not infer.
std::string ending_text(const seeder::NodeRow& node);
std::string version_text(const seeder::NodeRow& node);
// The last check or the present error; "gateway prepares delivery from 1.0.0" while that is why.
std::string check_text(const seeder::NodeRow& node, const seeder::SupplyRow& supply);
// When the origin last answered well, and what it failed with since.
std::string origin_text(const seeder::OriginRow& origin);
// Each line cut to so many columns, so that none wraps; 0: none is.
std::string cut_lines(const std::string& text, std::size_t width);
std::uint64_t gateway_bytes(const seeder::NodeRow& node);
std::uint64_t peer_bytes(const seeder::NodeRow& node);

// "12 inferring  2 updating  1 NOT INFERRING"; nothing for what nobody is.
std::string health_line(const seeder::SiteStatus& status, const Paint& paint);
// Three lines: rollout and stage, gate and canaries, reason.
std::string rollout_lines(const seeder::SiteStatus& status, const Paint& paint);

}  // namespace lineside::ctl
