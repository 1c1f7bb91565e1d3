// SPDX-License-Identifier: Apache-2.0
// Any line gets an answer, and a version's normal form means the same version.
#include <cstdlib>

#include "proto/base/bytes.h"
#include "proto/runtime/pep440.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside;
  std::string_view line = as_text({data, size});
  (void)runtime::pep440_line(line);
  auto version = runtime::Version::parse(line);
  if (version.ok()) {
    auto again = runtime::Version::parse(version->str());
    if (!again.ok() || !(*again == *version) || again->str() != version->str()) std::abort();
  }
  return 0;
}
