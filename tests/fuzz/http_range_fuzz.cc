// SPDX-License-Identifier: Apache-2.0
// Whatever a Range header says, the part that is served lies within the body.
#include <cstdlib>
#include <cstring>

#include "proto/base/bytes.h"
#include "proto/http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using lineside::http::RangeChoice;
  std::uint64_t body = 1000;
  if (size >= 8) std::memcpy(&body, data + size - 8, 8);
  std::string_view text = lineside::as_text({data, size});
  for (std::uint64_t total : {std::uint64_t{0}, std::uint64_t{1000}, body}) {
    RangeChoice choice = lineside::http::choose_range(text, total);
    if (choice.kind == RangeChoice::Kind::kUnsatisfiable) continue;
    if (choice.offset > total || choice.length > total - choice.offset) std::abort();
    if (choice.kind == RangeChoice::Kind::kPart && choice.length == 0) std::abort();
  }
  auto range = lineside::http::parse_content_range(text);
  if (range.ok() &&
      (range->first > range->last || (range->total && *range->total <= range->last))) {
    std::abort();
  }
  return 0;
}
