// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/drafts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "proto/trust/document.h"

namespace lineside::ctl {
namespace {

using trust::Device;
using trust::Roster;

bool share_one(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::any_of(left.begin(), left.end(), [&](const std::string& item) {
    return std::find(right.begin(), right.end(), item) != right.end();
  });
}

std::vector<std::string> sorted(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

Roster next_version(const Roster& roster, UtcTime now) {
  Roster next = roster;
  ++next.version;
  next.issued = now;
  return next;
}

// "7Q2F-…" however it was typed.
std::string plain(std::string_view fingerprint) {
  std::string out;
  for (char c : fingerprint) {
    if (c != '-' && c != ' ') out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

Result<const seeder::PendingRow*> find_pending(const Acceptance& wish,
                                               const std::vector<seeder::PendingRow>& pending) {
  const seeder::PendingRow* other = nullptr;
  for (const seeder::PendingRow& row : pending) {
    if (row.device != wish.device) continue;
    // The fingerprint is computed here from the key, never taken from the gateway.
    Result<trust::PublicKey> key = trust::PublicKey::from_spki(row.spki);
    if (key.ok() && plain(key->fingerprint()) == plain(wish.fingerprint)) return &row;
    other = &row;
  }
  if (other == nullptr) {
    std::vector<std::string> waiting;
    for (const seeder::PendingRow& row : pending) waiting.push_back(row.device);
    return Error{
        Code::kNotFound,
        fmt::format("{} does not ask to be enrolled ({}). Start lineside-node on it, and "
                    "see in its log whether it reaches this gateway",
                    wish.device,
                    waiting.empty() ? "nobody does"
                                    : fmt::format("waiting: {}", fmt::join(waiting, ", ")))};
  }
  return Error{
      Code::kMismatch,
      fmt::format("{} asks with another key than {}: compare it with what "
                  "`lineside-node key` shows on the device itself. If they differ, somebody "
                  "else asks in its name",
                  wish.device, wish.fingerprint)};
}

}  // namespace

bool is_accepted(const Roster& roster, const Acceptance& wish) {
  const Device* known = roster.find(wish.device);
  return known != nullptr && !known->revoked &&
         plain(known->key.fingerprint()) == plain(wish.fingerprint);
}

Result<Roster> accept_device(const Roster& roster, const Acceptance& wish,
                             const std::vector<seeder::PendingRow>& pending, UtcTime now) {
  TRY_ASSIGN(const seeder::PendingRow* row, find_pending(wish, pending));
  TRY_ASSIGN(trust::PublicKey key, trust::PublicKey::from_spki(row->spki));
  const Device* known = roster.find(wish.device);
  if (known != nullptr && !known->revoked) {
    return Error{
        Code::kExists,
        fmt::format("{} is in the roster with the key {}, and asks again with another one. "
                    "If the device was replaced or has lost its state: lineside revoke {}, "
                    "then accept it again",
                    wish.device, known->key.fingerprint(), wish.device)};
  }
  if (roster.find(key) != nullptr) {
    return Error{
        Code::kExists,
        fmt::format("the key of {} is in the roster as {}: a device must not be copied with "
                    "its key. Remove device.key from its state folder and start it again",
                    wish.device, roster.find(key)->id)};
  }
  Roster next = next_version(roster, now);
  std::erase_if(next.devices, [&](const Device& device) { return device.id == wish.device; });
  Device device{wish.device,
                key,
                sorted(wish.hardware.empty() ? row->hardware : wish.hardware),
                sorted(wish.groups),
                wish.canary,
                false};
  if (device.hardware.empty()) {
    return Error{Code::kUsage, wish.device + " names no hardware class: give --hardware"};
  }
  auto place = std::lower_bound(next.devices.begin(), next.devices.end(), device.id,
                                [](const Device& item, const auto& id) { return item.id < id; });
  next.devices.insert(place, std::move(device));
  return next;
}

Result<Roster> revoke_device(const Roster& roster, const std::string& device, UtcTime now) {
  Roster next = next_version(roster, now);
  for (Device& item : next.devices) {
    if (item.id != device) continue;
    if (item.revoked) return Error{Code::kConflict, device + " is revoked already"};
    item.revoked = true;
    return next;
  }
  return Error{Code::kNotFound, device + " is not in the roster; `lineside nodes` shows who is"};
}

namespace {

// The next piece of `text` up to `end`, which is taken away with it.
std::string_view next_piece(std::string_view& text, char end) {
  std::string_view piece = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), piece.size() + 1));
  return piece;
}

Result<Acceptance> parse_acceptance(std::string_view text) {
  Acceptance wish;
  wish.device = next_piece(text, ',');
  wish.fingerprint = next_piece(text, ',');
  if (wish.device.empty() || wish.fingerprint.empty()) {
    return Error{Code::kMalformed, "expected DEVICE,FINGERPRINT"};
  }
  while (!text.empty()) {
    std::string_view cell = next_piece(text, ',');
    if (cell == "canary") {
      wish.canary = true;
    } else if (cell.starts_with("group=")) {
      wish.groups.emplace_back(cell.substr(6));
    } else if (cell.starts_with("hardware=")) {
      wish.hardware.emplace_back(cell.substr(9));
    } else {
      return Error{Code::kMalformed, fmt::format("'{}' is unknown; after the fingerprint may come "
                                                 "canary, group=G and hardware=H",
                                                 cell)};
    }
  }
  return wish;
}

}  // namespace

Result<std::vector<Acceptance>> parse_acceptances(std::string_view csv, std::string_view name) {
  std::vector<Acceptance> wishes;
  std::set<std::string> devices;
  for (int line = 1; !csv.empty(); ++line) {
    std::string_view text = next_piece(csv, '\n');
    if (text.ends_with('\r')) text.remove_suffix(1);
    bool heading = line == 1 && text.starts_with("device,fingerprint");
    if (text.empty() || text.front() == '#' || heading) continue;
    std::string place = fmt::format("{}:{}", name, line);
    Result<Acceptance> wish = parse_acceptance(text);
    if (!wish.ok()) return wish.error().with(place);
    if (!devices.insert(wish->device).second) {
      return Error{Code::kMalformed, place + ": " + wish->device + " comes a second time"};
    }
    wish->place = std::move(place);
    wishes.push_back(std::move(wish).value());
  }
  if (wishes.empty()) return Error{Code::kMalformed, std::string(name) + ": names no device"};
  return wishes;
}

namespace {

Result<std::vector<const Device*>> meant(const Roster& roster, const trust::Manifest& manifest,
                                         const RolloutWish& wish) {
  std::vector<const Device*> devices;
  for (const std::string& id : wish.devices) {
    const Device* device = roster.find(id);
    if (device == nullptr || device->revoked) {
      return Error{Code::kNotFound, id + " is not in the roster"};
    }
    if (!share_one(device->hardware, manifest.hardware)) {
      return Error{
          Code::kWrongHardware,
          fmt::format("{} is for {}, {} is {}", manifest.target_name(),
                      fmt::join(manifest.hardware, ", "), id, fmt::join(device->hardware, ", "))};
    }
    devices.push_back(device);
  }
  if (!wish.devices.empty()) return devices;
  for (const Device& device : roster.devices) {
    bool in_group = wish.groups.empty() || share_one(device.groups, wish.groups);
    if (!device.revoked && in_group && share_one(device.hardware, manifest.hardware)) {
      devices.push_back(&device);
    }
  }
  if (devices.empty()) {
    return Error{Code::kNotFound,
                 fmt::format("no enrolled device{} fits {}, which is for {}",
                             wish.groups.empty() ? "" : " of these groups", manifest.target_name(),
                             fmt::join(manifest.hardware, ", "))};
  }
  return devices;
}

// One flagged canary for each hardware class among the devices, the first by id.
std::vector<std::string> default_canaries(const std::vector<const Device*>& devices) {
  std::set<std::string> covered;
  std::vector<std::string> canaries;
  for (const Device* device : devices) {
    bool is_new = std::any_of(device->hardware.begin(), device->hardware.end(),
                              [&](const auto& name) { return !covered.contains(name); });
    if (!device->canary || !is_new) continue;
    canaries.push_back(device->id);
    covered.insert(device->hardware.begin(), device->hardware.end());
  }
  return canaries;
}

Result<void> check_canaries(const Roster& roster, const std::vector<const Device*>& devices,
                            const std::vector<std::string>& canaries) {
  std::set<std::string> covered;
  for (const std::string& id : canaries) {
    const Device* canary = roster.find(id);
    if (canary == nullptr || !canary->canary || canary->revoked) {
      return Error{Code::kGateShut, id + " is no canary in the roster"};
    }
    covered.insert(canary->hardware.begin(), canary->hardware.end());
  }
  for (const Device* device : devices) {
    for (const std::string& hardware : device->hardware) {
      if (covered.contains(hardware)) continue;
      return Error{Code::kGateShut,
                   fmt::format("no canary covers hardware class {} (of {}): every gate would stay "
                               "shut",
                               hardware, device->id)};
    }
  }
  return ok();
}

}  // namespace

Result<void> check_wish(const RolloutWish& wish) {
  constexpr std::uint32_t kMaxBatch = 100'000;
  constexpr std::chrono::seconds kMaxWait = std::chrono::days(366);
  auto bad = [](const char* flag, std::string why) {
    return Error{Code::kUsage, fmt::format("--{}: {}", flag, why)};
  };
  if (wish.batch_size == 0 || wish.batch_size > kMaxBatch) {
    return bad("batch",
               fmt::format("{} devices at a time: expected 1 to {}", wish.batch_size, kMaxBatch));
  }
  if (wish.failure_limit.percent > 100) {
    return bad("failure-limit",
               fmt::format("{} percent: expected 0 to 100", wish.failure_limit.percent));
  }
  if (wish.failure_limit.minimum_executed == 0 || wish.failure_limit.minimum_executed > kMaxBatch) {
    return bad("failure-minimum", fmt::format("expected 1 to {} devices", kMaxBatch));
  }
  if (wish.soak > kMaxWait) return bad("soak", "expected at most 366d");
  if (wish.expires.count() <= 0 || wish.expires > kMaxWait) {
    return bad("expires", "expected more than 0s and at most 366d");
  }
  if (wish.expires <= wish.soak) {
    return bad("expires", fmt::format("{} is over before the soak of {}: no batch could begin",
                                      duration_text(wish.expires), duration_text(wish.soak)));
  }
  if (wish.device_deadline.count() <= 0 || wish.device_deadline > std::chrono::days(31)) {
    return bad("deadline", "expected 1s to 31d");
  }
  return ok();
}

Result<trust::Directive> draft_directive(const Roster& roster, const trust::Manifest& manifest,
                                         const Digest& manifest_digest, const RolloutWish& wish,
                                         std::int64_t sequence, UtcTime now) {
  TRY(check_wish(wish));
  TRY_ASSIGN(std::vector<const Device*> devices, meant(roster, manifest, wish));
  trust::Directive draft;
  draft.site = roster.site;
  draft.sequence = sequence;
  draft.issued = now;
  draft.not_before = now;
  draft.expires = now + wish.expires;
  draft.bundle = manifest.target_name();
  draft.manifest = manifest_digest;
  draft.canaries = sorted(wish.canaries.empty() ? default_canaries(devices) : wish.canaries);
  TRY(check_canaries(roster, devices, draft.canaries));
  for (const Device* device : devices) draft.devices.push_back(device->id);
  draft.devices.insert(draft.devices.end(), draft.canaries.begin(), draft.canaries.end());
  draft.devices = sorted(std::move(draft.devices));
  draft.soak = wish.soak;
  draft.batch_size = wish.batch_size;
  draft.failure_limit = wish.failure_limit;
  draft.on_failure = wish.on_failure;
  draft.device_deadline = wish.device_deadline;
  return draft;
}

Result<std::int64_t> next_number(std::string_view kind, std::int64_t held, std::int64_t named) {
  if (named - held > kMaxUnsignedStep) {
    return Error{Code::kMismatch,
                 fmt::format("the gateway names {} as the newest {}, the newest that this "
                             "site's operators signed is {}: not believed, nothing was signed. If "
                             "an operator who is none any more signed it, remove the gateway's "
                             "site.db; else the gateway is not to be trusted",
                             named, kind, held)};
  }
  return std::max(held, named) + 1;
}

namespace {

std::string summary_text(const seeder::RolloutSummary& rollout) {
  return fmt::format("{} (rollout {}, {})", trust::clean_text(rollout.bundle, 80), rollout.sequence,
                     trust::clean_text(rollout.stage, 20));
}

}  // namespace

Result<WayBack> way_back(const std::vector<seeder::RolloutSummary>& rollouts,
                         const trust::Directive& present) {
  std::vector<seeder::RolloutSummary> before = rollouts;
  std::erase_if(before, [&](const seeder::RolloutSummary& rollout) {
    return rollout.sequence >= present.sequence || rollout.bundle == present.bundle;
  });
  std::sort(before.begin(), before.end(),
            [](const auto& left, const auto& right) { return left.sequence > right.sequence; });
  auto good = std::find_if(before.begin(), before.end(), [](const auto& rollout) {
    return rollout.stage == "done" && rollout.confirmed > 0;
  });
  if (good != before.end()) return WayBack{*good, {before.begin(), good}};
  std::string words = "no rollout of another bundle ended well at this site";
  for (const auto& rollout : before) words += "; not " + summary_text(rollout);
  return Error{Code::kNotFound, words + ": name the bundle with --to NAME/VERSION"};
}

std::string describe(const WayBack& way) {
  std::string words = "back to " + summary_text(way.to);
  for (const auto& rollout : way.passed_over) words += "; passed over: " + summary_text(rollout);
  return words;
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::int64_t factor = unit.empty() || unit == "s" ? 1
                        : unit == "m"               ? 60
                        : unit == "h"               ? 3600
                        : unit == "d"               ? 86400
                                                    : 0;
  constexpr std::int64_t kMaxCount = 1'000'000'000;
  if (bad != std::errc() || factor == 0 || count < 0 || count > kMaxCount) {
    return Error{Code::kUsage, fmt::format("'{}' is no duration: 10s, 15m, 12h, 7d", text)};
  }
  return std::chrono::seconds(count * factor);
}

std::string duration_text(std::chrono::seconds duration) {
  std::int64_t seconds = duration.count();
  if (seconds >= 86400 && seconds % 86400 == 0) return fmt::format("{} d", seconds / 86400);
  if (seconds >= 3600 && seconds % 3600 == 0) return fmt::format("{} h", seconds / 3600);
  if (seconds >= 60 && seconds % 60 == 0) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} s", seconds);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit < 3) {
    value /= 1000;
    ++unit;
  }
  return value < 9.95 ? fmt::format("{:.1f} {}", value, kUnits[unit])
                      : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

}  // namespace lineside::ctl
