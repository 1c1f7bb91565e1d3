// SPDX-License-Identifier: Apache-2.0
// Keeps every version of a root chain that passes by, so that a device can lead others along the
// chain that it followed itself: chain/N.root.json in the folder of the metadata.
//
// A version is on the disk before anybody has verified it. That does no harm: only versions up to
// the trusted one are given away, the trusted ones were the last that were fetched under their
// number, and whoever is given one verifies it.
#pragma once

#include <cstdint>
#include <string>

#include "proto/base/disk.h"
#include "proto/trust/tuf/fetcher.h"

namespace lineside::node {

class KeptRoots final : public trust::Fetcher {
 public:
  // `disk` and `from` outlive it. `metadata`: the Updater's folder.
  KeptRoots(Disk& disk, Path metadata, trust::Fetcher& from)
      : disk_(disk), metadata_(std::move(metadata)), from_(from) {}
  // The codes of `from`; that something could not be kept is no error.
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override;

 private:
  Disk& disk_;
  Path metadata_;
  trust::Fetcher& from_;
};

// N of "N.root.json" (canonical decimal, 1 or more); 0 for any other name.
std::int64_t root_version(std::string_view name);

// The version of stored TUF metadata, which was verified when it was stored; 0 if there is none.
std::int64_t stored_version(const Disk& disk, const Path& file);

// Where a folder of trusted metadata keeps version N for others.
Path kept_root(const Path& metadata, std::int64_t version);

}  // namespace lineside::node
