// SPDX-License-Identifier: Apache-2.0
// The site root as the gateway has it: begun with the one from commissioning, continued by versions
// that lie beside that one or that an operator hands over. The gateway needs no trust for it: every
// node follows the chain by itself.
//
//     STATE/site/trust/       the newest version that was verified
//     STATE/site/metadata/    every version, for nodes
#pragma once

#include <mutex>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/trust/keys.h"

namespace lineside::seeder {

class SiteRoot {
 public:
  // `disk` and `clock` outlive it. `state` is the gateway's state folder.
  SiteRoot(Disk& disk, Clock& clock, const Path& state);

  // Begins with `commissioned` or goes on from there. Who the operators are. kMismatch if it is of
  // another chain than the one begun with; the codes of trust::Updater.
  Result<trust::Authority> load(const Path& commissioned);
  // The next version. kMismatch or kRollback if it is not the next one; kBadSignature if the
  // present and its own keys did not both sign it; kExpired. Nothing changes then. Any thread.
  struct Taken {
    std::int64_t version = 0;
    trust::Authority operators;
  };
  Result<Taken> take(BytesView root);

  [[nodiscard]] const Path& metadata() const { return metadata_; }

 private:
  Disk& disk_;
  Clock& clock_;
  Path trusted_;
  Path metadata_;
  std::mutex mutex_;
};

}  // namespace lineside::seeder
