// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/listing.h"

#include <algorithm>
#include <cstdlib>

// A tree has one listing: what is read is written back byte for byte, or a path is unsafe.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lineside::BytesView bytes(data, size);
  auto listing = lineside::trust::parse_listing(bytes);
  if (!listing.ok()) return 0;
  lineside::Bytes written = lineside::trust::serialise(*listing);
  if (!std::equal(written.begin(), written.end(), bytes.begin(), bytes.end())) std::abort();
  if (lineside::trust::tree_id(*listing) != lineside::sha256(bytes)) std::abort();
  for (const auto& entry : listing->entries) {
    if (!lineside::trust::check_path(entry.path).ok()) std::abort();
  }
  return 0;
}
