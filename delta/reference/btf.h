// SPDX-License-Identifier: Apache-2.0
// The type section of BTF, which kernels and their modules carry (Linux,
// Documentation/bpf/btf.rst). Records name strings by offset and each other by number, so that one
// type more shifts most of them.
#pragma once

#include <cstdint>

#include "delta/reference/elf_layout.h"
#include "proto/base/bytes.h"

namespace lineside::delta {

inline constexpr std::uint32_t kBtfRecordBytes = 12;  // of the part that all records have

// Number of bytes of the record that begins with `head`, which has kBtfRecordBytes at least; 0 for
// kinds that are not known, where no further record can be found.
std::uint64_t btf_record_bytes(BytesView head);

// The second and third word of each record's entries, and the record's own, that are numbers.
enum class BtfNumber : std::uint8_t { kType = 0, kString = 1 };

// Calls visit(offset in the record, BtfNumber) for all that lie below `length` bytes, ascending.
template <class Visit>
void visit_btf_record(BytesView head, std::uint64_t length, Visit visit);

// Numbers below these belong to the kernel, on which the BTF of a module rests; 0 in that of a
// kernel itself.
struct BtfBegins {
  std::uint32_t type = 0;
  std::uint32_t string = 0;
};
constexpr std::uint64_t pack(BtfBegins begins) {
  return std::uint64_t{begins.string} << 32 | begins.type;
}
constexpr BtfBegins unpack(std::uint64_t base) {
  return {static_cast<std::uint32_t>(base), static_cast<std::uint32_t>(base >> 32)};
}

// For making alone: adds the type sections in `file` to its image, as regions of their own.
void add_btf(BytesView file, ImageMap& image);

// The forms of a record: which of its words are numbers.
struct BtfForm {
  bool head_type = false;         // its third word is a type
  std::uint32_t entry_bytes = 0;  // of each of the entries that follow; there are vlen
  std::uint32_t tail_bytes = 0;   // what follows once
  bool entry_name = false;        // the first word of an entry is a string
  std::uint32_t entry_type = 0;   // where in an entry a type stands, + 1; 0: nowhere
  bool known = false;
};
BtfForm btf_form(unsigned kind);

inline std::uint32_t btf_word(BytesView bytes, std::uint64_t at) {
  return std::uint32_t{bytes[at]} | std::uint32_t{bytes[at + 1]} << 8 |
         std::uint32_t{bytes[at + 2]} << 16 | std::uint32_t{bytes[at + 3]} << 24;
}
constexpr unsigned btf_kind(std::uint32_t info) {
  return info >> 24 & 31;
}

template <class Visit>
void visit_btf_record(BytesView head, std::uint64_t length, Visit visit) {
  std::uint32_t info = btf_word(head, 4);
  BtfForm form = btf_form(btf_kind(info));
  if (!form.known) return;
  visit(std::uint64_t{0}, BtfNumber::kString);
  if (form.head_type) visit(std::uint64_t{8}, BtfNumber::kType);
  constexpr unsigned kArray = 3;
  if (btf_kind(info) == kArray) {
    visit(std::uint64_t{12}, BtfNumber::kType);
    visit(std::uint64_t{16}, BtfNumber::kType);
  }
  if (form.entry_bytes == 0) return;
  std::uint64_t end = kBtfRecordBytes + std::uint64_t{info & 0xffff} * form.entry_bytes;
  for (std::uint64_t at = kBtfRecordBytes; at < end && at < length; at += form.entry_bytes) {
    if (form.entry_name) visit(at, BtfNumber::kString);
    if (form.entry_type != 0) visit(at + form.entry_type - 1, BtfNumber::kType);
  }
}

}  // namespace lineside::delta
