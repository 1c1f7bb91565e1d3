// SPDX-License-Identifier: Apache-2.0
// Where whole trees stand on the device and which of them runs.
//
//     install ──▶ slot TREE ──activate──▶ current ──(trial)──▶ mark_good
//                                            └──────activate(previous)──── the way back
//
// A slot is named by its tree. At every instant `current` is a complete tree or there is none yet.
// One thread at a time.
#pragma once

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"

namespace lineside::node {

class SlotStore {
 public:
  virtual ~SlotStore() = default;

  // Where the tree stands or will stand once delta::apply_delivery has made it.
  [[nodiscard]] virtual Path dir(const trust::TreeId& tree) const = 0;
  // The tree stands there completely (whether its bytes are still right says a scan).
  [[nodiscard]] virtual Result<bool> has(const trust::TreeId& tree) const = 0;
  [[nodiscard]] virtual Result<std::vector<trust::TreeId>> trees() const = 0;

  // Where a tree that stands damaged is made anew. It need not be empty; collect() removes it.
  [[nodiscard]] virtual Path rebuild_dir(const trust::TreeId& tree) const = 0;
  // (durable, atomic) The tree in rebuild_dir() takes the damaged one's place, also where it is
  // current. kUnsupported if the file system cannot do that in one step: then nothing has changed.
  [[nodiscard]] virtual Result<void> adopt_rebuilt(const trust::TreeId& tree) = 0;

  // What runs now; nullopt on a device that has never been installed. Read, never remembered.
  [[nodiscard]] virtual Result<std::optional<trust::TreeId>> current() const = 0;
  // (durable, atomic) Makes `tree` current; nothing to do if it is. nullopt: back to no slot at
  // all. kNotFound if the tree does not stand there.
  [[nodiscard]] virtual Result<void> activate(const std::optional<trust::TreeId>& tree) = 0;
  // The trial passed: the tree stays current over any restart.
  [[nodiscard]] virtual Result<void> mark_good(const trust::TreeId& tree) = 0;
  // Removes every slot but those in `keep`, and what was left half made for others. `current` is
  // never removed, whatever `keep` says.
  [[nodiscard]] virtual Result<void> collect(const std::set<trust::TreeId>& keep) = 0;
};

}  // namespace lineside::node
