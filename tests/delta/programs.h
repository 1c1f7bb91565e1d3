// SPDX-License-Identifier: Apache-2.0
// Small executables for tests: functions that call each other, a table of their addresses with its
// relocations, and variables.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace lineside::delta::testing {

enum class Machine : std::uint16_t { kX86 = 62, kArm64 = 183 };

// Function i is made from seeds[i] alone, so that two programs with common seeds have common code;
// it calls three functions that its seed chooses by their seeds.
class ProgramBuilder {
 public:
  ProgramBuilder(Machine machine, std::vector<unsigned> seeds)
      : machine_(machine), seeds_(std::move(seeds)) {}

  // An ELF file with .text, .rela.dyn, .data.rel.ro and .bss.
  std::string build() {
    std::uint64_t length = 0;
    for (unsigned seed : seeds_) {
      begins_.push_back(kText + length);
      length += function(seed, kText + length, 0).size();
    }
    bss_ = (kText + length + 24 * seeds_.size() + 8 * seeds_.size() + 0x1fff) & ~0xfffULL;
    std::string text;
    for (unsigned seed : seeds_) text += function(seed, kText + text.size(), bss_);
    return elf(text);
  }

 private:
  static constexpr std::uint64_t kText = 0x1000;

  static void put(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  }
  // Where the function of the program stands whose seed is nearest; 0 before places are known.
  [[nodiscard]] std::uint64_t callee(unsigned wanted) const {
    std::size_t best = 0;
    for (std::size_t i = 0; i < begins_.size(); ++i) {
      auto far = [&](std::size_t n) {
        return seeds_[n] > wanted ? seeds_[n] - wanted : wanted - seeds_[n];
      };
      if (far(i) < far(best)) best = i;
    }
    return begins_.empty() ? 0 : begins_[best];
  }

  std::string function(unsigned seed, std::uint64_t address, std::uint64_t variables) {
    std::mt19937 random(seed);
    std::string code;
    for (int part = 0; part < 3; ++part) {
      for (unsigned i = 0, count = 5 + static_cast<unsigned>(random() % 30); i < count; ++i)
        filler(code, random());
      std::uint64_t target = callee(static_cast<unsigned>(random() % 2000));
      std::uint64_t variable = variables + 8 * (random() % 400);
      call(code, address + code.size(), target);
      load(code, address + code.size(), variable);
    }
    if (machine_ == Machine::kX86) {
      code += "\xc3";
    } else {
      put(code, 0xd65f03c0, 4);
    }
    return code;
  }
  void filler(std::string& code, std::uint64_t value) const {
    if (machine_ == Machine::kArm64) return put(code, 0xd2800000 | (value & 0x1fffe0) | 9, 4);
    put(code, 0xb8, 1);  // mov eax, imm32
    put(code, value, 4);
  }
  void call(std::string& code, std::uint64_t address, std::uint64_t target) const {
    if (machine_ == Machine::kArm64) {
      return put(code, 0x94000000 | ((target - address) >> 2 & 0x3ffffff), 4);
    }
    put(code, 0xe8, 1);
    put(code, target - address - 5, 4);
  }
  void load(std::string& code, std::uint64_t address, std::uint64_t variable) const {
    if (machine_ == Machine::kX86) {
      code += "\x48\x8d\x05";  // lea rax, [rip + …]
      return put(code, variable - address - 7, 4);
    }
    std::uint64_t pages = (variable >> 12) - (address >> 12);
    put(code, 0x90000001 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5, 4);  // adrp x1
    put(code, 0x91000021 | (variable & 0xfff) << 10, 4);                         // add x1, x1
  }

  struct Section {
    unsigned name, type, flags;
    std::uint64_t address, offset, size;
  };
  std::string elf(const std::string& text) {
    std::uint64_t rela = kText + text.size();
    std::uint64_t data = rela + 24 * seeds_.size();
    std::uint64_t strings = data + 8 * seeds_.size();
    std::string names("\0.text\0.rela.dyn\0.data.rel.ro\0.bss\0.shstrtab\0", 46);
    std::string file(
        "\x7f"
        "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
        16);
    put(file, 3, 2);
    put(file, static_cast<std::uint16_t>(machine_), 2);
    put(file, 1, 4);
    put(file, kText, 8);
    put(file, 0, 8);
    put(file, strings + names.size(), 8);
    put(file, 0, 4);
    for (unsigned value : {64U, 56U, 0U, 64U, 6U, 5U}) put(file, value, 2);
    file.resize(kText);
    file += text;
    for (std::size_t i = 0; i < seeds_.size(); ++i) {
      put(file, data + 8 * i, 8);
      put(file, machine_ == Machine::kX86 ? 8 : 1027, 8);
      put(file, begins_[i], 8);
    }
    file.resize(strings);
    file += names;
    for (const Section& s :
         {Section{0, 0, 0, 0, 0, 0}, Section{1, 1, 6, kText, kText, text.size()},
          Section{7, 4, 2, rela, rela, data - rela}, Section{17, 1, 3, data, data, strings - data},
          Section{30, 8, 3, bss_, strings, 3200}, Section{35, 3, 0, 0, strings, names.size()}}) {
      put(file, s.name, 4);
      put(file, s.type, 4);
      for (std::uint64_t value : {std::uint64_t{s.flags}, s.address, s.offset, s.size,
                                  std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{0}}) {
        put(file, value, 8);
      }
    }
    return file;
  }

  Machine machine_;
  std::vector<unsigned> seeds_;
  std::vector<std::uint64_t> begins_;
  std::uint64_t bss_ = 0;
};

// `count` functions with seeds 1, 8, 15, …; `extra` seeds stand in between, in the order of seeds.
inline std::string program(Machine machine, unsigned count, std::vector<unsigned> extra = {}) {
  for (unsigned i = 0; i < count; ++i) extra.push_back(1 + 7 * i);
  std::sort(extra.begin(), extra.end());
  return ProgramBuilder(machine, extra).build();
}

// A BTF blob with header, structures of `count` members that point at one another, and their names;
// before each number in `inserted` stands one structure more.
inline std::string btf(std::uint32_t count, const std::vector<std::uint32_t>& inserted) {
  std::vector<std::uint32_t> places(count);  // of each structure, counted from 1
  std::uint32_t total = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (std::find(inserted.begin(), inserted.end(), i) != inserted.end()) ++total;
    places[i] = ++total;
  }
  auto put = [](std::string& out, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  };
  std::string strings(1, '\0');
  std::string types;
  auto structure = [&](const std::string& name, std::uint32_t seed) {
    std::mt19937 random(seed);
    put(types, static_cast<std::uint32_t>(strings.size()));
    strings += name + '\0';
    put(types, 4U << 24 | 2);
    put(types, static_cast<std::uint32_t>(random() % 512));
    for (std::uint32_t member = 0; member < 2; ++member) {
      put(types, static_cast<std::uint32_t>(strings.size()));
      strings += "m" + name + std::to_string(member) + '\0';
      put(types, places[random() % count]);
      put(types, 64 * member);
    }
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    if (std::find(inserted.begin(), inserted.end(), i) != inserted.end()) {
      structure("more" + std::to_string(i), i + 77777);
    }
    structure("type" + std::to_string(i), i);
  }
  std::string blob;
  for (std::uint32_t word :
       {0x0001eb9fU, 24U, 0U, static_cast<std::uint32_t>(types.size()),
        static_cast<std::uint32_t>(types.size()), static_cast<std::uint32_t>(strings.size())}) {
    put(blob, word);
  }
  return blob + types + strings;
}

}  // namespace lineside::delta::testing
