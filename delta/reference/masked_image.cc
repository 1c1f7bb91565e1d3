// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/masked_image.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "delta/base_bytes.h"
#include "delta/reference/address_map.h"
#include "delta/reference/btf.h"
#include "delta/reference/scanner.h"

namespace lineside::delta {
namespace {

constexpr std::uint32_t kRelaBytes = 24;

std::span<std::uint8_t> operand_bytes(Bytes& bytes, const Reference& reference) {
  return std::span(bytes).subspan(reference.position, field_bytes(reference.field));
}

void write_label(Bytes& bytes, const Reference& reference, std::uint64_t label) {
  std::uint8_t extra = reference.field == Field::kArm64Low12 ? reference.extra : 0;
  write_operand(reference.field, operand_for(reference.field, extra, label, 0, 0),
                operand_bytes(bytes, reference));
}

// What votes about the reference are counted under: its image, or its list of numbers.
std::uint32_t space_of(const Layout& layout, const Reference& reference) {
  const Region& region = layout.regions[reference.region];
  if (reference.field != Field::kNumber32) return region.image;
  BtfBegins begins = unpack(region.base);
  bool is_type = reference.extra == static_cast<std::uint8_t>(BtfNumber::kType);
  bool own = reference.target >= (is_type ? begins.type : begins.string);
  return 0x80000000U + 2 * (own ? reference.region + 1 : 0) + reference.extra;
}

// A string of the section's own is known by its text.
std::uint32_t text_hash(BytesView bytes, const Region& region, const Reference& reference) {
  BtfBegins begins = unpack(region.base);
  if (reference.extra != static_cast<std::uint8_t>(BtfNumber::kString) ||
      reference.target < begins.string) {
    return 0;
  }
  std::uint64_t at =
      std::uint64_t{region.offset} + region.length + (reference.target - begins.string);
  std::uint32_t hash = 2166136261U;
  for (; at < bytes.size() && bytes[at] != 0; ++at) hash = (hash ^ bytes[at]) * 16777619U;
  return hash;
}

// One vote: the reference to `old_target` is one to `new_target` in the target.
struct Vote {
  std::uint32_t image;
  std::uint64_t old_target;
  std::uint64_t new_target;
  auto key() const { return std::tie(image, old_target, new_target); }
  bool operator<(const Vote& other) const { return key() < other.key(); }
  bool operator==(const Vote& other) const { return key() == other.key(); }
};

std::vector<Vote> collect_votes(const Layout& layout, std::span<const Reference> base_references,
                                std::span<const Reference> target_references,
                                std::span<const Cover> covers) {
  auto before = [](const Reference& reference, std::uint64_t position) {
    return reference.position < position;
  };
  std::vector<Vote> votes;
  for (const Cover& cover : covers) {
    auto old_at = std::lower_bound(base_references.begin(), base_references.end(),
                                   cover.old_position, before);
    auto new_at = std::lower_bound(target_references.begin(), target_references.end(),
                                   cover.new_position, before);
    std::uint64_t shift = cover.new_position - cover.old_position;
    for (; old_at != base_references.end() && old_at->position < cover.old_position + cover.length;
         ++old_at) {
      while (new_at != target_references.end() && new_at->position < old_at->position + shift) {
        ++new_at;
      }
      if (new_at == target_references.end()) break;
      if (new_at->position != old_at->position + shift || new_at->field != old_at->field) continue;
      votes.push_back({space_of(layout, *old_at), old_at->target, new_at->target});
    }
  }
  std::sort(votes.begin(), votes.end());
  return votes;
}

// Keeps the most frequent new target of each old one.
std::vector<Vote> winners(const std::vector<Vote>& votes) {
  std::vector<Vote> kept;
  std::size_t best = 0;
  for (std::size_t i = 0; i < votes.size();) {
    std::size_t end = i;
    while (end < votes.size() && votes[end] == votes[i]) ++end;
    bool same_target = !kept.empty() && kept.back().image == votes[i].image &&
                       kept.back().old_target == votes[i].old_target;
    if (!same_target) {
      kept.push_back(votes[i]);
      best = end - i;
    } else if (end - i > best) {
      kept.back() = votes[i];
      best = end - i;
    }
    i = end;
  }
  return kept;
}

}  // namespace

Result<std::vector<Reference>> all_references(const Layout& layout, BytesView bytes) {
  BaseInMemory base(bytes);
  TRY_ASSIGN(Scanner scanner, Scanner::open(layout, base));
  std::vector<Reference> all;
  std::uint64_t end = 0;
  for (std::uint64_t at = 0; at < bytes.size(); at += kScanBlockBytes) {
    TRY_ASSIGN(auto references, scanner.block(static_cast<std::uint32_t>(at / kScanBlockBytes)));
    for (const Reference& reference : references) {
      if (reference.position < end) continue;
      all.push_back(reference);
      end = std::uint64_t{reference.position} + field_bytes(reference.field);
    }
  }
  return all;
}

Bytes masked(BytesView bytes, const Layout& layout, std::span<const Reference> references) {
  Bytes result(bytes.begin(), bytes.end());
  for (const Reference& reference : references) {
    const Region& region = layout.regions[reference.region];
    std::int64_t value = 0;
    if (region.kind == RegionKind::kRela64) {
      std::uint32_t inside = reference.position - region.offset;
      if (inside >= kRelaBytes && inside % kRelaBytes == 0) {
        std::int64_t last =
            read_operand(reference.field, bytes.subspan(reference.position - kRelaBytes, 8));
        value = static_cast<std::int64_t>(reference.target - static_cast<std::uint64_t>(last));
      }
    }
    if (region.kind == RegionKind::kBtf) value = text_hash(bytes, region, reference);
    write_operand(reference.field, value, operand_bytes(result, reference));
  }
  return result;
}

LabelledPair labelled(BytesView base, BytesView target, const Layout& layout,
                      std::span<const Reference> base_references,
                      std::span<const Reference> target_references, std::span<const Cover> covers) {
  LabelledPair pair{Bytes(base.begin(), base.end()), Bytes(target.begin(), target.end())};
  std::vector<AddressMap::Piece> pieces;
  for (const Cover& cover : covers) {
    pieces.push_back({static_cast<std::uint32_t>(cover.old_position),
                      static_cast<std::uint32_t>(cover.new_position),
                      static_cast<std::uint32_t>(cover.length)});
  }
  AddressMap map(layout, std::move(pieces));
  std::vector<Vote> known =
      winners(collect_votes(layout, base_references, target_references, covers));
  for (const Reference& reference : base_references) {
    std::uint32_t space = space_of(layout, reference);
    bool is_number = reference.field == Field::kNumber32;
    // What the target's own bytes say weighs more than what references to it say: tables of equal
    // entries vote for their neighbours when they are out of step.
    AddressMap::Mapped mapped{reference.target, false};
    if (!is_number) mapped = map.map(space, reference.target);
    if (!mapped.covered) {
      auto after = std::upper_bound(known.begin(), known.end(),
                                    Vote{space, reference.target, ~std::uint64_t{0}});
      bool near = after != known.begin() && (after - 1)->image == space;
      bool hit = near && (after - 1)->old_target == reference.target;
      // A number nobody knows is shifted as the one before it.
      if (hit || (near && is_number)) {
        mapped.address = reference.target + ((after - 1)->new_target - (after - 1)->old_target);
      }
    }
    write_label(pair.base, reference, mapped.address);
  }
  for (const Reference& reference : target_references) {
    write_label(pair.target, reference, reference.target);
  }
  return pair;
}

}  // namespace lineside::delta
