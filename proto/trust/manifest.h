// SPDX-License-Identifier: Apache-2.0
// The manifest NAME/VERSION.json: a TUF target, and the one place where firmware, ML runtime,
// models and their inference check are named together. Everything in it was measured when the
// bundle was packed. Nodes and directives name it by the SHA-256 of its bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"
#include "proto/trust/listing.h"

namespace lineside::trust {

// One way from one tree to another; DESIGN idea 3. Its torrent follows from root and length.
struct Delivery {
  TreeId base;  // sha256 of nothing for a full delivery
  TreeId target;
  std::uint64_t length = 0;  // bytes
  Digest root;
  bool operator==(const Delivery&) const = default;
};

struct ModelFact {
  std::string path;  // "models/vad.onnx"
  Digest sha256;
  std::string format;                            // "onnx"
  std::map<std::string, std::int64_t> versions;  // {"ir":8,"opset.ai.onnx":16}
  bool operator==(const ModelFact&) const = default;
};

// A finding of the audit that somebody took upon himself.
struct Waiver {
  std::string rule;     // "dep-version"
  std::string subject;  // "onnxruntime->numpy"
  std::string by;
  UtcTime until{};
  std::string reason;
  bool operator==(const Waiver&) const = default;
};

struct Manifest {
  std::string name;                 // [a-z0-9][a-z0-9._-]{0,63}
  std::string version;              // [0-9A-Za-z][0-9A-Za-z.+~-]{0,63}
  std::int64_t release = 0;         // rises with each release of NAME, >= 1
  std::int64_t security_floor = 0;  // a node that ran this refuses releases below it afterwards
  std::string vendor;
  std::vector<std::string> hardware;  // classes that it is for, sorted, at least one

  // The tree: sha256 of the listing is its TreeId.
  std::uint64_t listing_length = 0;
  TreeId tree;
  std::uint64_t tree_length = 0;     // bytes of all files
  std::vector<Delivery> deliveries;  // the vendor's; each has target == tree

  // Measured facts. packages: normalised name -> version.
  std::string firmware_version;
  std::map<std::string, std::string> provides;  // "__glibc" -> "2.36", "__arch" -> "x86_64"
  std::string python;                           // "3.11.2", empty if there is none
  std::map<std::string, std::string> packages;
  std::vector<ModelFact> models;
  std::vector<std::string> requires_facts;  // "__glibc >= 2.27"
  std::vector<Waiver> waivers;

  // The inference check: validation/probe.json and everything below validation/.
  Digest check;                             // SHA-256 of validation/probe.json
  Digest golden;                            // part_digest(listing, "validation")
  std::vector<std::string> required_tests;  // names that a PASSED attestation must list

  // "NAME/VERSION.json" and "NAME/VERSION.listing": the TUF target names.
  [[nodiscard]] std::string target_name() const;
  [[nodiscard]] std::string listing_name() const;
  bool operator==(const Manifest&) const = default;
};

inline constexpr std::uint64_t kMaxManifestBytes = 8ULL << 20;

// kMalformed naming the member; kUnsupported for another schema number; kTooLarge.
Result<Manifest> parse_manifest(BytesView bytes);
// Canonical JSON; parse_manifest(serialise(m)) == m.
Bytes serialise(const Manifest& manifest);

}  // namespace lineside::trust
