// SPDX-License-Identifier: Apache-2.0
// The sub-commands. Each prints its result to standard output and returns an error for main to
// print.
#pragma once

#include <stop_token>
#include <string>

#include "delta/make_delivery.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::delta::cli {

enum class PatchFormat { kDelivery, kBsdiff40 };

struct DiffArguments {
  std::string old_tree;
  std::string new_tree;
  std::string out;
  PatchFormat format = PatchFormat::kDelivery;
  MakeOptions make;
  bool json = false;
};
Result<void> diff(Disk& disk, const DiffArguments& arguments, std::stop_token stop);

struct ApplyArguments {
  std::string old_tree;
  std::string delivery;
  std::string out;
  std::uint64_t max_memory_bytes = 64ULL << 20;
  unsigned threads = 2;
  bool json = false;
};
Result<void> apply(Disk& disk, const ApplyArguments& arguments, std::stop_token stop);

struct InfoArguments {
  std::string delivery;
  std::string old_tree;  // empty: not given
  bool json = false;
};
Result<void> info(const Disk& disk, const InfoArguments& arguments, std::stop_token stop);

}  // namespace lineside::delta::cli
