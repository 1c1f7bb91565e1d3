// SPDX-License-Identifier: Apache-2.0
// What an operator is about to sign, in words: nothing that changes may be left out.
#include <fmt/format.h>

#include "seeder/ctl/drafts.h"

namespace lineside::ctl {

using trust::Device;
using trust::Roster;

namespace {

std::string traits(const Device& device) {
  return fmt::format(
      "hardware {}{}{}", fmt::join(device.hardware, ", "),
      device.groups.empty() ? "" : fmt::format(", groups {}", fmt::join(device.groups, ", ")),
      device.canary ? ", may be a canary" : "");
}

std::string change_of(const Device* old, const Device& device) {
  std::string key = device.key.fingerprint();
  std::string revoked = device.revoked ? ", revoked" : "";
  if (old == nullptr) {
    return fmt::format("+ {}: key {}, {}{}", device.id, key, traits(device), revoked);
  }
  if (!(old->key == device.key)) {
    return fmt::format("+ {}: key {} instead of {}, {}{}", device.id, key, old->key.fingerprint(),
                       traits(device), revoked);
  }
  if (!old->revoked && device.revoked) {
    return fmt::format("- {}: revoked; its key {} counts for nothing from now on", device.id, key);
  }
  if (old->revoked && !device.revoked) {
    return fmt::format("+ {}: no longer revoked, key {}, {}", device.id, key, traits(device));
  }
  if (traits(*old) == traits(device)) return {};
  return fmt::format("~ {}: {}; before: {}", device.id, traits(device), traits(*old));
}

}  // namespace

std::vector<std::string> describe_change(const Roster& before, const Roster& after) {
  std::vector<std::string> words{
      fmt::format("roster {} -> {} of site {}", before.version, after.version, after.site)};
  for (const trust::PublicKey& key : after.gateways) {
    if (!before.is_gateway(key)) words.push_back("+ gateway with the key " + key.fingerprint());
  }
  for (const trust::PublicKey& key : before.gateways) {
    if (!after.is_gateway(key)) {
      words.push_back("- gateway with the key " + key.fingerprint() + ": no device talks to it");
    }
  }
  for (const Device& device : after.devices) {
    std::string change = change_of(before.find(device.id), device);
    if (!change.empty()) words.push_back(std::move(change));
  }
  for (const Device& device : before.devices) {
    if (after.find(device.id) == nullptr) {
      words.push_back(
          fmt::format("- {}: removed, with its key {}", device.id, device.key.fingerprint()));
    }
  }
  return words;
}

std::vector<std::string> describe(const trust::Directive& directive,
                                  const trust::Manifest& manifest) {
  std::size_t others = directive.devices.size() - directive.canaries.size();
  return {
      fmt::format("directive {} of site {}: install {} {} (release {})", directive.sequence,
                  directive.site, manifest.name, manifest.version, manifest.release),
      fmt::format("manifest  {}", directive.manifest.hex()),
      fmt::format("canaries  {}, all must pass their inference check and trial",
                  fmt::join(directive.canaries, ", ")),
      fmt::format("then      {} devices in batches of {}, {} after the last canary", others,
                  directive.batch_size, duration_text(directive.soak)),
      fmt::format(
          "stops     above {} % failed of at least {}, then {}", directive.failure_limit.percent,
          directive.failure_limit.minimum_executed,
          directive.on_failure == trust::OnFailure::kPause ? "pauses" : "prepares the way back"),
      fmt::format("expires   {}", format_utc(directive.expires)),
  };
}

}  // namespace lineside::ctl
