// SPDX-License-Identifier: Apache-2.0
// What a delivery consists of, read from its index alone: nothing is decoded but the index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "delta/make_delivery.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"

namespace lineside::delta {

// One stream of all units of a method.
struct StreamShare {
  std::string name;
  std::uint64_t raw_bytes = 0;
  std::uint64_t coded_bytes = 0;
};

struct MethodShare {
  std::string method;
  std::uint64_t units = 0;
  std::uint64_t raw_bytes = 0;    // of the files made by it
  std::uint64_t coded_bytes = 0;  // in the delivery
  std::vector<StreamShare> streams;
};

struct Inspection {
  std::uint32_t version = 0;
  trust::TreeId base;
  trust::TreeId target;
  std::uint64_t length = 0;
  std::uint64_t index_bytes = 0;  // header, index and embedded listing
  std::uint64_t apply_memory_bytes = 0;
  std::vector<MethodShare> methods;       // largest first
  std::vector<FileCost> files;            // if both listings are known; "same" ones included
  std::optional<trust::Listing> listing;  // the embedded one
};

// With the listings the files get names; without `target` the embedded listing is taken, if there
// is one. kMalformed, kUnsupported, kTooLarge for what is no delivery; kMismatch if a listing is
// not the one that the delivery names.
Result<Inspection> inspect(const Disk& disk, const Path& delivery,
                           const trust::Listing* base = nullptr,
                           const trust::Listing* target = nullptr);

}  // namespace lineside::delta
