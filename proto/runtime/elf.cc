// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/elf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "proto/base/elf_format.h"

namespace lineside::runtime {
namespace {

constexpr std::size_t kMaxTable = 64 * 1024;
constexpr std::size_t kMaxName = 4096;
constexpr std::uint64_t kMaxStrings = 64ULL << 20;

enum Segment : std::uint64_t { kLoad = 1, kDynamic = 2, kNote = 4 };
enum Tag : std::uint64_t {
  kNeeded = 1,
  kStrTab = 5,
  kStrSize = 10,
  kSoname = 14,
  kRpath = 15,
  kRunpath = 29,
  kVerDef = 0x6ffffffc,
  kVerDefNum = 0x6ffffffd,
  kVerNeed = 0x6ffffffe,
  kVerNeedNum = 0x6fffffff
};

Error malformed(std::string_view what) {
  return Error{Code::kMalformed, fmt::format("ELF: {}", what)};
}

// Little-endian numbers at places that were bounds-checked as a block.
std::uint64_t number(BytesView bytes, std::size_t at, std::size_t width) {
  std::uint64_t out = 0;
  for (std::size_t i = width; i-- > 0;) out = out << 8 | bytes[at + i];
  return out;
}

struct Header {
  std::uint64_t type, offset, address, size;
};

class Reader {
 public:
  explicit Reader(const InputFile& file) : file_(file) {}

  Result<ElfFacts> facts() {
    TRY(file_header());
    for (const Header& header : headers_) {
      if (header.type == kDynamic) TRY(dynamic_section(header));
      if (header.type == kNote) TRY(notes(header));
    }
    if (strings_.has_value()) {
      TRY(names());
      TRY(version_needs());
      TRY(version_definitions());
    }
    return std::move(out_);
  }

 private:
  // `size` bytes at `offset`, all of them inside the file.
  Result<Bytes> block(std::uint64_t offset, std::uint64_t size) const {
    if (offset > file_.size() || size > file_.size() - offset) {
      return malformed(fmt::format("{} bytes at {} are outside the file", size, offset));
    }
    Bytes out(size);
    TRY_ASSIGN(std::size_t got, file_.read_at(offset, out));
    if (got != size) return malformed("the file ended early");
    return out;
  }

  // ld.so sees addresses; the loadable segments say where in the file these are.
  Result<std::uint64_t> offset_of(std::uint64_t address) const {
    for (const Header& header : headers_) {
      if (header.type == kLoad && address >= header.address &&
          address - header.address < header.size) {
        return header.offset + (address - header.address);
      }
    }
    return malformed(fmt::format("address {:#x} is in no segment of the file", address));
  }

  Result<void> file_header() {
    TRY_ASSIGN(Bytes ident, block(0, 20));
    if (!is_elf(ident)) return malformed("magic bytes expected");
    if (ident[4] != elf::kClass32 && ident[4] != elf::kClass64) {
      return malformed("class 1 or 2 expected");
    }
    if (ident[5] != elf::kLittleEndian)
      return Error{Code::kUnsupported, "ELF: only little-endian files are read"};
    wide_ = ident[4] == elf::kClass64;
    out_.bits = wide_ ? 64 : 32;
    out_.machine = machine_name(number(ident, elf::kMachineAt, 2));
    TRY_ASSIGN(Bytes head, block(0, wide_ ? elf::kHeaderBytes64 : elf::kHeaderBytes32));
    std::uint64_t offset = wide_ ? number(head, 32, 8) : number(head, 28, 4);
    std::uint64_t size = number(head, wide_ ? 54 : 42, 2);
    std::uint64_t count = number(head, wide_ ? 56 : 44, 2);
    if (count == 0) return ok();
    if (size < (wide_ ? 56U : 32U)) return malformed("program headers are too small");
    TRY_ASSIGN(Bytes table, block(offset, size * count));
    for (std::uint64_t i = 0; i < count; ++i) {
      headers_.push_back(program_header(BytesView(table).subspan(i * size)));
    }
    return ok();
  }

  [[nodiscard]] Header program_header(BytesView at) const {
    if (wide_) return {number(at, 0, 4), number(at, 8, 8), number(at, 16, 8), number(at, 32, 8)};
    return {number(at, 0, 4), number(at, 4, 4), number(at, 8, 4), number(at, 16, 4)};
  }

  static std::string machine_name(std::uint64_t machine) {
    static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 5> kNames = {
        {{elf::kMachineX86, "x86_64"},
         {elf::kMachineArm64, "aarch64"},
         {40, "armv7l"},
         {3, "i686"},
         {243, "riscv64"}}};
    for (auto [value, name] : kNames) {
      if (value == machine) return std::string(name);
    }
    return fmt::format("em-{}", machine);
  }

  Result<void> dynamic_section(const Header& header) {
    out_.dynamic = true;
    std::size_t width = wide_ ? 8 : 4;
    if (header.size / (2 * width) > kMaxTable)
      return Error{Code::kTooLarge, "ELF: dynamic section"};
    TRY_ASSIGN(Bytes table, block(header.offset, header.size));
    for (std::size_t at = 0; at + 2 * width <= table.size(); at += 2 * width) {
      std::uint64_t tag = number(table, at, width);
      if (tag == 0) break;
      dynamic_.emplace_back(tag, number(table, at + width, width));
    }
    auto address = entry(kStrTab);
    if (!address) return ok();
    std::uint64_t size = entry(kStrSize).value_or(0);
    if (size > kMaxStrings) return Error{Code::kTooLarge, "ELF: string table"};
    TRY_ASSIGN(std::uint64_t offset, offset_of(*address));
    TRY_ASSIGN(strings_, block(offset, size));
    return ok();
  }

  [[nodiscard]] std::optional<std::uint64_t> entry(std::uint64_t tag) const {
    for (auto [name, value] : dynamic_) {
      if (name == tag) return value;
    }
    return std::nullopt;
  }

  Result<std::string> text(std::uint64_t at) const {
    if (at >= strings_->size()) return malformed("a name is outside the string table");
    // A name is as long as a path may be: more would let a few bytes ask for endless copies.
    BytesView rest = BytesView(*strings_).subspan(at);
    rest = rest.first(std::min<std::size_t>(rest.size(), kMaxName));
    auto end = std::find(rest.begin(), rest.end(), 0);
    if (end == rest.end()) return malformed("the end of a name expected");
    return std::string(rest.begin(), end);
  }

  Result<void> names() {
    for (auto [tag, value] : dynamic_) {
      if (tag != kNeeded && tag != kSoname && tag != kRpath && tag != kRunpath) continue;
      TRY_ASSIGN(std::string name, text(value));
      if (tag == kNeeded) {
        out_.needed.push_back(std::move(name));
      } else if (tag == kSoname) {
        out_.soname = std::move(name);
      } else {
        for (std::size_t start = 0; start <= name.size();) {
          std::size_t end = std::min(name.find(':', start), name.size());
          if (end > start) out_.runpath.push_back(name.substr(start, end - start));
          start = end + 1;
        }
      }
    }
    return ok();
  }

  // A Verneed is 16 bytes, and so is each of its Vernaux; both are the same in 32 and 64 bits.
  Result<void> version_needs() {
    auto address = entry(kVerNeed);
    if (!address) return ok();
    TRY_ASSIGN(std::uint64_t at, offset_of(*address));
    std::uint64_t count = entry(kVerNeedNum).value_or(0);
    for (std::uint64_t i = 0; i < count; ++i) {
      TRY(spend());
      TRY_ASSIGN(Bytes need, block(at, 16));
      TRY_ASSIGN(std::string library, text(number(need, 4, 4)));
      auto& versions = out_.version_needs[library];
      std::uint64_t aux = at + number(need, 8, 4);
      for (std::uint64_t k = number(need, 2, 2); k > 0; --k) {
        TRY(spend());
        TRY_ASSIGN(Bytes one, block(aux, 16));
        constexpr std::uint64_t kWeak = 2;
        if ((number(one, 4, 2) & kWeak) == 0) {
          TRY_ASSIGN(std::string version, text(number(one, 8, 4)));
          versions.push_back(std::move(version));
        }
        std::uint64_t next = number(one, 12, 4);
        if (next == 0) break;
        aux += next;
      }
      std::uint64_t next = number(need, 12, 4);
      if (next == 0) break;
      at += next;
    }
    return ok();
  }

  // A Verdef is 20 bytes; its first Verdaux, 8 bytes, holds the name of the version.
  Result<void> version_definitions() {
    constexpr std::uint64_t kBase = 1;
    auto address = entry(kVerDef);
    if (!address) return ok();
    TRY_ASSIGN(std::uint64_t at, offset_of(*address));
    std::uint64_t count = entry(kVerDefNum).value_or(0);
    for (std::uint64_t i = 0; i < count; ++i) {
      TRY(spend());
      TRY_ASSIGN(Bytes definition, block(at, 20));
      TRY_ASSIGN(Bytes aux, block(at + number(definition, 12, 4), 8));
      TRY_ASSIGN(std::string name, text(number(aux, 0, 4)));
      if ((number(definition, 2, 2) & kBase) == 0) {
        out_.version_definitions.push_back(std::move(name));
      }
      std::uint64_t next = number(definition, 16, 4);
      if (next == 0) break;
      at += next;
    }
    return ok();
  }

  // Chains may point back at themselves: no more than kMaxTable steps in all.
  Result<void> spend() {
    if (++steps_ > kMaxTable) return Error{Code::kTooLarge, "ELF: version tables"};
    return ok();
  }

  // GNU_PROPERTY_X86_ISA_1_NEEDED of the x86-64 psABI: bit N-1 asks for x86-64-vN.
  Result<void> notes(const Header& header) {
    constexpr std::uint64_t kMaxNotes = 64 * 1024;
    constexpr std::uint64_t kPropertyNote = 5;
    if (header.size > kMaxNotes) return ok();  // core dumps; nothing that we look for
    TRY_ASSIGN(Bytes bytes, block(header.offset, header.size));
    BytesView rest = bytes;
    while (rest.size() >= 12) {
      std::uint64_t name = number(rest, 0, 4);
      std::uint64_t size = number(rest, 4, 4);
      std::uint64_t start = 12 + (name + 3) / 4 * 4;
      if (start > rest.size() || size > rest.size() - start) return ok();
      if (number(rest, 8, 4) == kPropertyNote && name == 4 &&
          as_text(rest.subspan(12, 3)) == "GNU") {
        properties(rest.subspan(start, size));
      }
      std::uint64_t step = start + (size + 3) / 4 * 4;
      if (step > rest.size()) return ok();
      rest = rest.subspan(step);
    }
    return ok();
  }

  void properties(BytesView rest) {
    constexpr std::uint64_t kIsaNeeded = 0xc0008002;
    std::size_t align = wide_ ? 8 : 4;
    while (rest.size() >= 8) {
      std::uint64_t size = number(rest, 4, 4);
      if (size > rest.size() - 8) return;
      if (number(rest, 0, 4) == kIsaNeeded && size == 4 && out_.machine == "x86_64") {
        auto bits = static_cast<std::uint32_t>(number(rest, 8, 4)) & 0xfU;
        out_.cpu_level = static_cast<int>(std::bit_width(bits));
      }
      std::uint64_t step = 8 + (size + align - 1) / align * align;
      if (step > rest.size()) return;
      rest = rest.subspan(step);
    }
  }

  const InputFile& file_;
  bool wide_ = true;
  std::size_t steps_ = 0;
  std::vector<Header> headers_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dynamic_;
  std::optional<Bytes> strings_;
  ElfFacts out_;
};

}  // namespace

bool is_elf(BytesView head) {
  return head.size() >= 4 && number(head, 0, 4) == elf::kMagic;
}

Result<ElfFacts> read_elf(const InputFile& file) {
  return Reader(file).facts();
}

}  // namespace lineside::runtime
