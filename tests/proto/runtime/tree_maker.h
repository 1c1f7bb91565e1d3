// SPDX-License-Identifier: Apache-2.0
// Bundle trees for tests: distributions, ELF files and models, as small as their formats allow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/base/sha256.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::fakes {

inline void put(std::string& out, std::size_t at, std::uint64_t value, int width) {
  if (out.size() < at + width) out.resize(at + width);
  for (int i = 0; i < width; ++i) out[at + i] = static_cast<char>(value >> (8 * i));
}

struct ElfMaker {
  std::uint64_t machine = 62;  // x86-64
  std::string soname;
  std::vector<std::string> needed;
  std::map<std::string, std::vector<std::string>> version_needs;
  std::vector<std::string> version_definitions;
  int isa_needed = 0;  // bits of GNU_PROPERTY_X86_ISA_1_NEEDED

  // One loadable segment that is the whole file, so that addresses are offsets.
  [[nodiscard]] std::string str() const {
    constexpr std::size_t kDynamic = 0x200;
    constexpr std::size_t kNote = 0x600;
    constexpr std::size_t kVersions = 0x700;
    std::string strings(1, '\0');
    auto name = [&](const std::string& text) {
      std::size_t at = strings.size();
      strings += text + '\0';
      return at;
    };
    std::vector<std::pair<std::uint64_t, std::uint64_t>> dynamic;
    for (const std::string& one : needed) dynamic.emplace_back(1, name(one));
    if (!soname.empty()) dynamic.emplace_back(14, name(soname));
    std::string out(
        "\x7f"
        "ELF\2\1\1",
        7);
    std::size_t at = kVersions;
    if (!version_needs.empty()) {
      dynamic.emplace_back(0x6ffffffe, at);
      dynamic.emplace_back(0x6fffffff, version_needs.size());
    }
    for (const auto& [library, versions] : version_needs) {
      put(out, at + 2, versions.size(), 2);
      put(out, at + 4, name(library), 4);
      put(out, at + 8, 16, 4);
      put(out, at + 12, 16 + 16 * versions.size(), 4);
      at += 16;
      for (const std::string& version : versions) {
        put(out, at + 8, name(version), 4);
        put(out, at + 12, 16, 4);
        at += 16;
      }
    }
    if (!version_definitions.empty()) {
      dynamic.emplace_back(0x6ffffffc, at);
      dynamic.emplace_back(0x6ffffffd, version_definitions.size());
    }
    for (const std::string& version : version_definitions) {
      put(out, at + 12, 20, 4);
      put(out, at + 16, 28, 4);
      put(out, at + 20, name(version), 4);
      put(out, at + 24, 0, 4);
      at += 28;
    }
    dynamic.emplace_back(5, at);
    dynamic.emplace_back(10, strings.size());
    out.resize(at);
    out += strings;
    for (std::size_t i = 0; i < dynamic.size(); ++i) {
      put(out, kDynamic + 16 * i, dynamic[i].first, 8);
      put(out, kDynamic + 16 * i + 8, dynamic[i].second, 8);
    }
    put(out, 18, machine, 2);
    put(out, 32, 64, 8);
    put(out, 54, 56, 2);
    put(out, 56, isa_needed ? 3 : 2, 2);
    program_header(out, 64, 1, 0, out.size());
    program_header(out, 64 + 56, 2, kDynamic, 16 * (dynamic.size() + 1));
    if (isa_needed) {
      put(out, kNote, 4, 4);
      put(out, kNote + 4, 16, 4);
      put(out, kNote + 8, 5, 4);
      out.replace(kNote + 12, 3, "GNU");
      put(out, kNote + 16, 0xc0008002, 4);
      put(out, kNote + 20, 4, 4);
      put(out, kNote + 24, static_cast<std::uint64_t>(isa_needed), 4);
      program_header(out, 64 + 112, 4, kNote, 32);
    }
    return out;
  }

 private:
  static void program_header(std::string& out, std::size_t at, std::uint64_t type,
                             std::uint64_t offset, std::uint64_t size) {
    put(out, at, type, 4);
    put(out, at + 8, offset, 8);
    put(out, at + 16, offset, 8);
    put(out, at + 32, size, 8);
  }
};

// A ModelProto of one IR version and operator set, with `weights` bytes of graph.
inline std::string onnx_model(int ir, int opset, std::size_t weights = 1000) {
  std::string out = {8, static_cast<char>(ir), 18, 4};
  out += "test";
  out += {58, static_cast<char>(0x80 | (weights & 0x7f)), static_cast<char>(weights >> 7)};
  out += std::string(weights, '\xff');
  out += {66, 4, 10, 0, 16, static_cast<char>(opset)};
  return out;
}

// A distribution in `site`, with METADATA only.
inline void dist(const TempDir& dir, const std::string& site, const std::string& name,
                 const std::string& version, const std::string& headers = "") {
  dir.write(site + "/" + name + "-" + version + ".dist-info/METADATA",
            "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n" + headers +
                "\nA description.\nRequires-Dist: nonsense\n");
}

inline std::string record_hash(const std::string& text) {
  std::string out = to_base64(sha256(as_bytes(text)).bytes);
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return "sha256=" + out.substr(0, out.find('='));
}

}  // namespace lineside::fakes
