// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/repository_files.h"

#include "proto/trust/tuf/names.h"
#include "proto/trust/tuf/repository_format.h"

namespace lineside::trust::tuf {

Result<std::int64_t> Files::newest_root() const {
  std::int64_t newest = 0;
  while (true) {
    TRY_ASSIGN(auto info, disk_.stat(metadata("root", newest + 1)));
    if (!info) return newest;
    ++newest;
  }
}

Result<Published<Root>> Files::root() const {
  TRY_ASSIGN(std::int64_t version, newest_root());
  if (version == 0) return Error{Code::kNotFound, dir_.string() + ": no repository here"};
  Published<Root> out;
  TRY_ASSIGN(out.bytes, disk_.read(metadata("root", version), kMaxRootBytes));
  TRY_ASSIGN(out.file, parse_root(out.bytes));
  return out;
}

Result<Newest> Files::newest() const {
  Newest out;
  TRY_ASSIGN(out.root, root());
  TRY_ASSIGN(out.timestamp.bytes, disk_.read(metadata("timestamp"), kMaxTimestampBytes));
  TRY_ASSIGN(out.timestamp.file, parse_timestamp(out.timestamp.bytes));
  std::int64_t version = out.timestamp.file.snapshot.version;
  TRY_ASSIGN(out.snapshot.bytes, disk_.read(metadata("snapshot", version), kMaxSnapshotBytes));
  TRY_ASSIGN(out.snapshot.file, parse_snapshot(out.snapshot.bytes));
  auto meta = out.snapshot.file.meta.find("targets.json");
  if (meta == out.snapshot.file.meta.end()) {
    return Error{Code::kMalformed, "snapshot: targets.json is not listed"};
  }
  version = meta->second.version;
  TRY_ASSIGN(out.targets.bytes, disk_.read(metadata("targets", version), kMaxTargetsBytes));
  TRY_ASSIGN(out.targets.file, parse_targets(out.targets.bytes));
  return out;
}

Result<void> Files::write_target(const NewTarget& target) {
  TargetInfo info{target.name, target.content.size(), {{"sha256", sha256(target.content).hex()}}};
  TRY_ASSIGN(std::string name, served_name(info, true));
  Path file = dir_ / "targets" / Path(name);
  TRY(disk_.make_dirs(file.parent_path()));
  return disk_.replace(file, target.content);
}

Result<void> Files::write(const Update& update) {
  if (update.targets) {
    TRY(disk_.replace(metadata("targets", update.targets_version), *update.targets));
  }
  if (update.snapshot) {
    TRY(disk_.replace(metadata("snapshot", update.snapshot_version), *update.snapshot));
  }
  return disk_.replace(metadata("timestamp"), update.timestamp);
}

}  // namespace lineside::trust::tuf
