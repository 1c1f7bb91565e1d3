// SPDX-License-Identifier: Apache-2.0
// Slots as folders of one file system, for embedded Linux without a boot loader of its own say:
//
//     STATE/slots/TREE/           a tree; its files have no write bits, for slots share them
//     STATE/slots/.TREE.partial/  one in the making (delta::partial_path)
//     STATE/slots/TREE.rebuilt/   the same tree anew, for a damaged one
//     STATE/current -> slots/TREE
//
// The switch is the atomic replacement of one link, so a power cut leaves the old or the new tree.
#pragma once

#include "node/slots/slot_store.h"

namespace lineside::node {

class DirectorySlots final : public SlotStore {
 public:
  // `disk` outlives it. Folders are made as needed.
  DirectorySlots(Disk& disk, Path state);

  [[nodiscard]] Path dir(const trust::TreeId& tree) const override;
  [[nodiscard]] Result<bool> has(const trust::TreeId& tree) const override;
  [[nodiscard]] Result<std::vector<trust::TreeId>> trees() const override;
  [[nodiscard]] Path rebuild_dir(const trust::TreeId& tree) const override;
  [[nodiscard]] Result<void> adopt_rebuilt(const trust::TreeId& tree) override;
  [[nodiscard]] Result<std::optional<trust::TreeId>> current() const override;
  [[nodiscard]] Result<void> activate(const std::optional<trust::TreeId>& tree) override;
  [[nodiscard]] Result<void> mark_good(const trust::TreeId& tree) override;
  [[nodiscard]] Result<void> collect(const std::set<trust::TreeId>& keep) override;

 private:
  Disk& disk_;
  Path state_;
};

}  // namespace lineside::node
