// SPDX-License-Identifier: Apache-2.0
// What an installed Python distribution says about itself: METADATA or PKG-INFO (core metadata
// specification), RECORD (PEP 376, PEP 627) and WHEEL (PEP 427), and where these lie in a tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/sha256.h"
#include "proto/runtime/tree.h"

namespace lineside::runtime {

struct Metadata {
  std::string name;
  std::string version;
  std::vector<std::string> requires_dist;  // raw lines; may be invalid one by one
  std::string requires_python;
  std::vector<std::string> provides_extra;
};

// The headers up to the first empty line. kMalformed without a Name or a Version.
Result<Metadata> parse_metadata(std::string_view text);

struct RecordEntry {
  std::string path;  // as written, relative to the folder that holds the dist-info folder
  std::optional<Digest> sha256;  // none for what was made after installation, and for other hashes
  std::optional<std::uint64_t> size;
};

// Lines "path,sha256=urlsafe-base64,size", CSV quoting. kMalformed names the line.
Result<std::vector<RecordEntry>> parse_record(std::string_view text);

struct WheelTag {
  std::string python;    // "cp39", "py3"
  std::string abi;       // "cp39", "abi3", "none"
  std::string platform;  // "manylinux_2_17_x86_64", "any"
  [[nodiscard]] std::string str() const { return python + "-" + abi + "-" + platform; }
  auto operator<=>(const WheelTag&) const = default;
};

// The "Tag:" lines of a WHEEL file, compressed sets ("py2.py3-none-any") expanded; lines without
// three parts are left out.
std::vector<WheelTag> parse_wheel_tags(std::string_view text);

// Could this wheel be installed for CPython 3.`minor` on `machine` ("x86_64"; empty: any)?
bool tag_fits(const WheelTag& tag, int minor, std::string_view machine);

// "x/_core.cpython-39-x86_64-linux-gnu.so" -> 9. None for other names and for stable-ABI modules.
std::optional<int> extension_minor(std::string_view path);

// Where a distribution's own words lie. Copies that packages carry inside themselves for their own
// use (folders named "_vendor", folders with an __init__.py) are not installed and not listed.
struct DistPlace {
  std::string metadata;  // path of METADATA, PKG-INFO or the *.egg-info file
  std::string folder;    // the *.dist-info or *.egg-info, folder or file
  std::string root;      // the folder that holds it; RECORD's paths start here
};
std::vector<DistPlace> find_distributions(const Tree& tree);

}  // namespace lineside::runtime
