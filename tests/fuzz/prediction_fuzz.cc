// SPDX-License-Identifier: Apache-2.0
// A layout (its length in two bytes before it) over a base (what follows): every block is scanned,
// every reference predicted. The applier checks the base's root before, but rests on nothing.
#include <cstdint>

#include "delta/base_bytes.h"
#include "delta/reference/predictor.h"
#include "delta/reference/scanner.h"

using namespace lineside;
using namespace lineside::delta;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::size_t length = data[0] | static_cast<std::size_t>(data[1]) << 8;
  BytesView rest(data + 2, size - 2);
  if (length > rest.size()) return 0;
  BytesView bytes = rest.subspan(length);
  auto layout = parse_layout(rest.first(length), bytes.size(), 1 << 20);
  if (!layout.ok()) return 0;
  BaseInMemory base(bytes);
  auto scanner = Scanner::open(*layout, base);
  if (!scanner.ok()) __builtin_trap();
  auto half = static_cast<std::uint32_t>(bytes.size() / 2);
  Predictor predictor(*layout, {{0, 500, half}, {half / 2, 9, half}});
  for (std::uint64_t at = 0; at < bytes.size(); at += kScanBlockBytes) {
    auto found = scanner->block(static_cast<std::uint32_t>(at / kScanBlockBytes));
    if (!found.ok()) __builtin_trap();
    for (const Reference& reference : *found) {
      if (reference.position + std::uint64_t{field_bytes(reference.field)} > bytes.size()) {
        __builtin_trap();
      }
      std::int64_t value = predictor.predict(reference, reference.position + at);
      predictor.learn(reference, reference.position + at, value % 7);
    }
  }
  return 0;
}
