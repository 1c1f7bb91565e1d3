// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/view_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "proto/trust/document.h"
#include "seeder/ctl/drafts.h"

namespace lineside::ctl {

using seeder::Health;
using seeder::NodeRow;
using seeder::SiteStatus;

std::string Paint::operator()(Tint tint, const std::string& text) const {
  static const std::map<Tint, const char*> kCodes{{Tint::kGood, "32"},
                                                  {Tint::kBad, "31;1"},
                                                  {Tint::kBusy, "36"},
                                                  {Tint::kDim, "2"},
                                                  {Tint::kBold, "1"}};
  auto code = kCodes.find(tint);
  if (!on_ || code == kCodes.end() || text.empty()) return text;
  return fmt::format("\x1b[{}m{}\x1b[0m", code->second, text);
}

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

std::string safe(const std::string& text, std::size_t max) {
  return trust::clean_text(text, max);
}

Tint tint_of(const NodeRow& node) {
  if (node.revoked || seeder::needs_attention(seeder::health_from(node.health))) return Tint::kBad;
  if (node.ending == "silent" || node.ending == "stalled") return Tint::kBad;
  if (node.health == "updating") return Tint::kBusy;
  return node.health == "inferring" ? Tint::kGood : Tint::kDim;
}

std::string state_text(const NodeRow& node) {
  if (node.revoked) return "revoked";
  if (node.health == "not-inferring") return "NOT INFERRING";
  if (node.health == "damaged") return "DAMAGED";
  if (!node.report) return "never heard";
  if (node.health == "silent" || node.ending == "silent") return "silent";
  std::string state = safe(node.report->state, 20);
  if (node.ending == "stalled") return "stalled in " + state;
  bool held = node.ending == "unfinished" && seeder::before_switch(node.report->state);
  return held ? state + ", stopped" : state;
}

std::string ending_text(const NodeRow& node) {
  if (node.ending.empty()) return state_text(node);
  if (node.health == "damaged") return node.ending + ", DAMAGED";
  return node.health == "not-inferring" ? node.ending + ", NOT INFERRING" : node.ending;
}

std::string version_text(const NodeRow& node) {
  if (!node.report || node.report->version.empty()) return "-";
  return safe(node.report->version, 24);
}

std::uint64_t gateway_bytes(const NodeRow& node) {
  return node.report ? node.report->delivered_from_gateway : 0;
}
std::uint64_t peer_bytes(const NodeRow& node) {
  return node.report ? node.report->delivered_from_peers : 0;
}

namespace {

// A node that asks for a delivery which is still being fetched (404) or made (503) has only that to
// show for it. Whatever else hinders it is shown as it is.
bool waits_for_gateway(const NodeRow& node, const seeder::SupplyRow& supply) {
  if (node.report->state != "fetching" || node.report->transfer) return false;
  bool brings =
      supply.state == "refreshing" || supply.state == "fetching" || supply.state == "building";
  if (node.report->code == "not-found") return brings;
  return node.report->code == "timeout" && (brings || supply.state == "making");
}

std::string preparing_text(const NodeRow& node, const seeder::SupplyRow& supply) {
  std::string from = node.report->version.empty() ? "nothing" : safe(node.report->version, 24);
  std::string text = "gateway prepares delivery from " + from;
  if (supply.total == 0 || supply.state != "fetching") return text;
  return text + fmt::format(" ({} %)", supply.done * 100 / supply.total);
}

// The last check. One that failed in a rollout which the device has left behind says nothing of
// what it does now.
std::string last_check_text(const api::NodeReport& report) {
  if (!report.check) return "";
  const api::CheckSummary& check = *report.check;
  bool present = check.phase == "live" || check.verdict == "pass" || report.state == "failed" ||
                 report.state == "rolled_back";
  if (!present) return "";
  std::string text = check.phase + " " + check.verdict;
  if (!check.cause.empty()) return text + ": " + check.cause;
  if (auto p50 = check.measured.find("latency.p50_us"); p50 != check.measured.end()) {
    text += fmt::format(", p50 {} µs", p50->second);
  }
  return text;
}

}  // namespace

std::string check_text(const NodeRow& node, const seeder::SupplyRow& supply) {
  constexpr std::size_t kWords = 240;  // the column is the last: a screen cuts what is too long
  if (node.ending == "unfinished" || node.ending == "stalled") return safe(node.why, kWords);
  if (!node.report) return "";
  if (node.health == "not-inferring" && !node.report->inferring_cause.empty()) {
    return safe(node.report->inferring_cause, kWords);
  }
  if (node.health == "damaged") return safe(seeder::damage_text(node), kWords);
  if (waits_for_gateway(node, supply)) return preparing_text(node, supply);
  if (!node.report->error.empty()) return safe(node.report->error, kWords);
  return safe(last_check_text(*node.report), kWords);
}

std::string origin_text(const seeder::OriginRow& origin) {
  std::string text = origin.succeeded ? "last good answer at " + format_utc(*origin.succeeded)
                                      : "no good answer yet";
  if (origin.error.empty()) return text;
  std::string about = origin.concerns.empty() ? "" : " (" + safe(origin.concerns, 80) + ")";
  std::string when = origin.failed ? " at " + format_utc(*origin.failed) : "";
  return fmt::format("{}; failed{}{}: {}", text, when, about, safe(origin.error, 240));
}

std::string cut_lines(const std::string& text, std::size_t width) {
  if (width == 0) return text;
  std::string out;
  std::size_t at = 0;  // columns of this line so far
  bool coloured = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      if (coloured && at > width) out += "\x1b[0m";
      at = 0;
      coloured = false;
      out += '\n';
      continue;
    }
    if (text[i] == '\x1b') {
      std::size_t end = std::min(text.find('m', i), text.size() - 1);
      if (at <= width) out += text.substr(i, end - i + 1);
      coloured = true;
      i = end;
      continue;
    }
    bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins) ++at;
    if (at <= width) out += text[i];
  }
  return out;
}

std::string health_line(const SiteStatus& status, const Paint& paint) {
  std::string out;
  for (Health health : {Health::kInferring, Health::kUpdating, Health::kEmpty, Health::kFailed,
                        Health::kNotInferring, Health::kDamaged, Health::kSilent}) {
    auto found = status.health.find(std::string(seeder::health_name(health)));
    if (found == status.health.end() || found->second == 0) continue;
    Tint tint = seeder::needs_attention(health) ? Tint::kBad
                : health == Health::kInferring  ? Tint::kGood
                : health == Health::kUpdating   ? Tint::kBusy
                                                : Tint::kDim;
    std::string name = health == Health::kNotInferring ? "NOT INFERRING"
                       : health == Health::kDamaged    ? "DAMAGED"
                                                       : found->first;
    out += (out.empty() ? "" : "  ") + paint(tint, fmt::format("{} {}", found->second, name));
  }
  return out;
}

namespace {

std::string mark(const std::string& evidence, const Paint& paint) {
  if (evidence == "passed") return paint(Tint::kGood, "✔");
  if (evidence == "failed" || evidence == "invalid") return paint(Tint::kBad, "✘");
  return paint(Tint::kDim, "…");
}

}  // namespace

std::string rollout_lines(const SiteStatus& status, const Paint& paint) {
  const seeder::RolloutRow& rollout = *status.rollout;
  bool ended = seeder::stage_has_ended(rollout.stage);
  std::string stage = rollout.paused && !ended ? "PAUSED" : safe(rollout.stage, 20);
  if (rollout.stage == "failed") stage = "FAILED";
  Tint tint = rollout.stage == "done"   ? Tint::kGood
              : ended || rollout.paused ? Tint::kBad
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

}  // namespace lineside::ctl
