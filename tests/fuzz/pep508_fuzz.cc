// SPDX-License-Identifier: Apache-2.0
// Any requirement line is parsed or refused, and what is parsed can be evaluated.
#include "proto/base/bytes.h"
#include "proto/runtime/pep508.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside;
  auto requirement = runtime::Requirement::parse(as_text({data, size}));
  if (requirement.ok()) {
    (void)requirement->applies(runtime::linux_environment("3.11.2", "x86_64"));
    (void)requirement->specifiers.str();
  }
  return 0;
}
