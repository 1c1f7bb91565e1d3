// SPDX-License-Identifier: Apache-2.0
// The files of a repository as its owner reads and writes them. Private to this folder's .cc files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/base/disk.h"
#include "proto/trust/tuf/metadata.h"
#include "proto/trust/tuf/repository.h"

namespace lineside::trust::tuf {

template <class T>
struct Published {
  T file;
  Bytes bytes;
};

// The newest state that clients can see.
struct Newest {
  Published<Root> root;
  Published<Timestamp> timestamp;
  Published<Snapshot> snapshot;
  Published<Targets> targets;
};

// New files; what has none stays as it is.
struct Update {
  std::optional<Bytes> targets;
  std::int64_t targets_version = 0;
  std::optional<Bytes> snapshot;
  std::int64_t snapshot_version = 0;
  Bytes timestamp;
};

class Files {
 public:
  Files(Disk& disk, const Path& dir) : disk_(disk), dir_(dir) {}

  [[nodiscard]] Path metadata(std::string_view role, std::int64_t version = 0) const {
    std::string prefix = version > 0 ? std::to_string(version) + "." : "";
    return dir_ / "metadata" / (prefix + std::string(role) + ".json");
  }
  // Where the next version of `role` waits for signatures: "root" or "targets".
  [[nodiscard]] Path staged(std::string_view role) const {
    return dir_ / "metadata" / "staged" / (std::string(role) + ".json");
  }

  // Highest N of N.root.json; 0 if there is none.
  [[nodiscard]] Result<std::int64_t> newest_root() const;
  [[nodiscard]] Result<Published<Root>> root() const;
  [[nodiscard]] Result<Newest> newest() const;
  Result<void> write_target(const NewTarget& target);
  // In the order in which a reader may meet them (6): what names a file comes after it.
  Result<void> write(const Update& update);

 private:
  Disk& disk_;
  Path dir_;
};

}  // namespace lineside::trust::tuf
