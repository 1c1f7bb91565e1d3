// SPDX-License-Identifier: Apache-2.0
// Headers of METADATA and WHEEL: whatever is parsed has a name and a version.
#include <cstdlib>

#include "proto/runtime/dist_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside;
  std::string_view text = as_text({data, size});
  auto metadata = runtime::parse_metadata(text);
  if (metadata.ok() && (metadata->name.empty() || metadata->version.empty())) std::abort();
  for (const auto& tag : runtime::parse_wheel_tags(text))
    (void)runtime::tag_fits(tag, 11, "x86_64");
  (void)runtime::extension_minor(text);
  return 0;
}
