// SPDX-License-Identifier: Apache-2.0
// A delivery file, and its units decoded against a fixed base. The check value over header and
// index is put right first, as an enemy would do.
#include <algorithm>
#include <cstdint>

#include "delta/format.h"
#include "delta/memory_file.h"
#include "delta/unit_decoder.h"

using namespace lineside;
using namespace lineside::delta;

namespace {

constexpr std::uint64_t kMemory = 8ULL << 20;
constexpr std::uint64_t kMaxOutput = 1ULL << 20;
constexpr std::size_t kHashOffset = kHeaderBytes - 8;

void correct_hash(Bytes& file) {
  if (file.size() < kHeaderBytes) return;
  std::uint64_t body = 0;
  for (unsigned i = 0; i < 8; ++i) body |= std::uint64_t{file[76 + i]} << (8 * i);
  if (body > file.size() - kHeaderBytes) return;
  Sha256 hash;
  hash.update(BytesView(file).first(kHashOffset));
  hash.update(BytesView(file).subspan(kHeaderBytes + body));
  Digest digest = hash.finish();
  std::copy_n(digest.bytes.begin(), 8, file.begin() + kHashOffset);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, data + size);
  correct_hash(bytes);
  MemoryFile file(bytes);
  auto delivery = read_format(file, 1 << 16);
  if (!delivery.ok() || delivery->apply_memory() > kMemory) return 0;
  Bytes base(5000);
  for (std::size_t i = 0; i < base.size(); ++i) base[i] = static_cast<std::uint8_t>(i * i >> 3);
  BaseInMemory old_bytes(base);
  for (const Unit& unit : delivery->units) {
    if (unit.base_length > base.size()) continue;
    std::uint64_t made = 0;
    (void)decode_unit(unit, file, old_bytes, [&](BytesView part) {
      made += part.size();
      if (made > std::min(unit.length, kMaxOutput)) return Result<void>(Error{Code::kTooLarge, ""});
      return ok();
    }).ok();
    if (made > unit.length) __builtin_trap();
  }
  return 0;
}
