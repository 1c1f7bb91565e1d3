// SPDX-License-Identifier: Apache-2.0
// RECORD lines, and the paths in them: none leaves the tree.
#include <cstdlib>

#include "proto/runtime/dist_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside;
  auto entries = runtime::parse_record(as_text({data, size}));
  if (!entries.ok()) return 0;
  for (const auto& entry : *entries) {
    std::string path = runtime::join_within("runtime/site", entry.path);
    if (path.starts_with("/") || path.starts_with("../") || path.find("/../") != path.npos) {
      std::abort();
    }
  }
  return 0;
}
