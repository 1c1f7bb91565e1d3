// SPDX-License-Identifier: Apache-2.0
// Signed documents as the page shows them. It informs: devices and `lineside` verify by themselves.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/trust/attestation.h"
#include "proto/trust/directive.h"
#include "proto/trust/manifest.h"
#include "seeder/operator_api.h"
#include "seeder/rollout_store.h"

namespace lineside::seeder {

nlohmann::json directive_view(const trust::VerifiedDirective& directive,
                              const std::vector<std::string>& signers);
// {"device","outcome",…,"envelope"}; one that does not verify: {"invalid": why, "envelope"}.
nlohmann::json attestation_view(const Bytes& envelope, const trust::Roster& roster);
nlohmann::json check_view(const StoredCheck& check);
// {device: base64 of the bits of its piece map} of those that carry a delivery; of `device` alone
// if that is not empty.
nlohmann::json pieces_view(const std::vector<NodeRow>& nodes, const std::string& device);

struct HeldManifest {
  Digest digest;
  trust::Manifest manifest;
};
// The manifest `name` ("vision/2.0.0.json") among the mirror's targets, NAME/HASH.VERSION.json; the
// one with the highest release, if the vendor replaced it. A file that is not what its name says is
// passed over. kMalformed for a name that is none, kNotFound.
Result<HeldManifest> find_manifest(const Disk& disk, const Path& targets, const std::string& name);
nlohmann::json manifest_view(const HeldManifest& held);

// What validation/probe.json of the tree at `tree` allows, by the names of what is measured:
// {"latency.p50_us": 20000}. The codes of Disk and parse_probe_spec.
Result<nlohmann::json> budgets_view(const Disk& disk, const Path& tree);

}  // namespace lineside::seeder
