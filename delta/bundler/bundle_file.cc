// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/bundle_file.h"

#include <algorithm>

#include "proto/base/config.h"
#include "proto/runtime/waiver.h"

namespace lineside::bundler {
Result<BundleFile> load_bundle_file(const Disk& disk, const Path& path) {
  TRY_ASSIGN(Config config, Config::load(disk, path));
  BundleFile bundle;
  bundle.name = config.text("name");
  bundle.version = config.text("version");
  bundle.release = config.integer("release", 0, 1, 1'000'000'000);
  bundle.security_floor = config.integer("security_floor", 0, 0, 1'000'000'000);
  bundle.vendor = config.text("vendor");
  bundle.hardware = config.texts("hardware");
  bundle.tree = config.path("tree");
  for (auto& [key, value] : config.table("device")) bundle.device[key] = std::move(value);
  TRY_ASSIGN(bundle.waivers, runtime::read_waivers(config));
  TRY(config.finish());
  std::sort(bundle.hardware.begin(), bundle.hardware.end());
  if (bundle.hardware.empty() || bundle.release == 0) {
    return Error{Code::kUsage,
                 path.string() +
                     ": 'hardware' must name at least one class and 'release' must be "
                     "a number from 1 on"};
  }
  if (bundle.security_floor > bundle.release) {
    return Error{Code::kUsage, path.string() +
                                   ": 'security_floor' is above 'release': no device "
                                   "could run this bundle"};
  }
  return bundle;
}

}  // namespace lineside::bundler
