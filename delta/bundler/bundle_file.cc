// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/bundle_file.h"

#include <algorithm>

#include "proto/base/config.h"
#include "proto/runtime/waiver.h"
#include "proto/trust/document.h"

namespace lineside::bundler {
namespace {

constexpr std::int64_t kMaxRelease = 1'000'000'000;

void read_identity(Config& config, BundleFile& bundle) {
  bundle.name = config.text("name");
  if (!trust::is_name(bundle.name)) {
    config.refuse("name", "must be of the form [a-z0-9][a-z0-9._-]{0,63}");
  }
  bundle.version = config.text("version");
  if (!trust::is_version(bundle.version)) {
    config.refuse("version", "must be of the form [0-9A-Za-z][0-9A-Za-z.+~-]{0,63}");
  }
  if (!config.has("release"))
    config.refuse("release", "is missing: a number from 1 on is expected");
  bundle.release = config.integer("release", 0, 1, kMaxRelease);
  bundle.security_floor = config.integer("security_floor", 0, 0, kMaxRelease);
  if (bundle.security_floor > bundle.release) {
    config.refuse("security_floor", "is above 'release': no device could run this bundle");
  }
  bundle.vendor = config.text("vendor");
  if (!trust::is_label(bundle.vendor)) config.refuse("vendor", "must be one line of text");
}

void read_hardware(Config& config, BundleFile& bundle) {
  bundle.hardware = config.texts("hardware");
  std::sort(bundle.hardware.begin(), bundle.hardware.end());
  const auto& classes = bundle.hardware;
  if (classes.empty() || !std::all_of(classes.begin(), classes.end(), trust::is_name)) {
    config.refuse("hardware", "must name at least one class, each [a-z0-9][a-z0-9._-]{0,63}");
  }
  if (std::adjacent_find(classes.begin(), classes.end()) != classes.end()) {
    config.refuse("hardware", "names a class twice");
  }
}

}  // namespace

Result<BundleFile> load_bundle_file(const Disk& disk, const Path& path) {
  TRY_ASSIGN(Config config, Config::load(disk, path));
  BundleFile bundle;
  read_identity(config, bundle);
  read_hardware(config, bundle);
  bundle.tree = config.path("tree");
  for (auto& [key, value] : config.table("device")) bundle.device[key] = std::move(value);
  TRY_ASSIGN(bundle.waivers, runtime::read_waivers(config));
  TRY(config.finish());
  TRY_ASSIGN(auto tree, disk.stat(bundle.tree));
  if (!tree || tree->type == FileType::kFile) {
    config.refuse("tree", "must be a folder; there is none at " + bundle.tree.string());
  }
  TRY(config.finish());
  return bundle;
}

}  // namespace lineside::bundler
