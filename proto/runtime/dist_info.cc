// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/dist_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

std::string_view take_line(std::string_view& rest) {
  std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void keep_header(Metadata& out, std::string_view name, std::string_view value) {
  std::string key = lowered(name);
  if (key == "name" && out.name.empty()) out.name = value;
  if (key == "version" && out.version.empty()) out.version = value;
  if (key == "requires-dist") out.requires_dist.emplace_back(value);
  if (key == "requires-python" && out.requires_python.empty()) out.requires_python = value;
  if (key == "provides-extra") out.provides_extra.emplace_back(value);
}

// One field of a CSV line. kMalformed for a quote that does not end.
Result<std::string> take_field(std::string_view& line) {
  std::string out;
  if (!line.starts_with('"')) {
    std::size_t end = std::min(line.find(','), line.size());
    out = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return out;
  }
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] != '"') {
      out += line[i];
    } else if (i + 1 < line.size() && line[i + 1] == '"') {
      out += line[i++];
    } else {
      line.remove_prefix(std::min(i + 2, line.size()));
      return out;
    }
  }
  return Error{Code::kMalformed, "a closing quote expected"};
}

Result<RecordEntry> parse_record_line(std::string_view line) {
  RecordEntry out;
  TRY_ASSIGN(out.path, take_field(line));
  TRY_ASSIGN(std::string hash, take_field(line));
  TRY_ASSIGN(std::string size, take_field(line));
  if (out.path.empty()) return Error{Code::kMalformed, "a path expected"};
  if (hash.starts_with("sha256=")) {
    TRY_ASSIGN(Bytes raw, from_base64(hash.substr(7)));
    if (raw.size() != 32) return Error{Code::kMalformed, "a SHA-256 of 32 bytes expected"};
    std::copy(raw.begin(), raw.end(), out.sha256.emplace().bytes.begin());
  }
  if (!size.empty()) {
    std::uint64_t value = 0;
    auto [end, bad] = std::from_chars(size.data(), size.data() + size.size(), value);
    if (bad != std::errc() || end != size.data() + size.size()) {
      return Error{Code::kMalformed, "a size in bytes expected"};
    }
    out.size = value;
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  for (std::size_t start = 0; start <= text.size();) {
    std::size_t end = std::min(text.find(by, start), text.size());
    out.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

// "cp39" with "cp" -> 9; only Python 3.
std::optional<int> minor_after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  if (!text.starts_with('3')) return std::nullopt;
  text.remove_prefix(1);
  int minor = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), minor);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return minor;
}

bool platform_fits(std::string_view platform, std::string_view machine) {
  if (platform == "any") return true;
  if (platform.find("linux") == std::string_view::npos) return false;
  return machine.empty() || platform.ends_with("_" + std::string(machine));
}

bool is_carried_copy(const Tree& tree, std::string_view root) {
  for (const std::string& part : split(root, '/')) {
    if (part == "_vendor" || part == "_vendored" || part == "_bundled") return true;
  }
  return !root.empty() && tree.has(std::string(root) + "/__init__.py");
}

}  // namespace

Result<Metadata> parse_metadata(std::string_view text) {
  Metadata out;
  std::string name;
  std::string value;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {  // a header goes on
      value.append(" ").append(trim_space(line));
      continue;
    }
    if (!name.empty()) keep_header(out, name, value);
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      name.clear();
      continue;
    }
    name = line.substr(0, colon);
    value = trim_space(line.substr(colon + 1));
  }
  if (!name.empty()) keep_header(out, name, value);
  if (out.name.empty()) return Error{Code::kMalformed, "metadata: 'Name:' expected"};
  if (out.version.empty()) return Error{Code::kMalformed, "metadata: 'Version:' expected"};
  return out;
}

Result<std::vector<RecordEntry>> parse_record(std::string_view text) {
  std::vector<RecordEntry> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = take_line(text);
    if (trim_space(line).empty()) continue;
    auto entry = parse_record_line(line);
    if (!entry.ok()) return entry.error().with(fmt::format("RECORD line {}", number));
    out.push_back(std::move(*entry));
  }
  return out;
}

std::vector<WheelTag> parse_wheel_tags(std::string_view text) {
  constexpr std::size_t kMaxTags = 4096;
  std::vector<WheelTag> out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!lowered(line.substr(0, 4)).starts_with("tag:")) continue;
    std::vector<std::string> parts = split(trim_space(line.substr(4)), '-');
    if (parts.size() != 3) continue;
    for (const std::string& python : split(parts[0], '.')) {
      for (const std::string& abi : split(parts[1], '.')) {
        for (const std::string& platform : split(parts[2], '.')) {
          if (out.size() < kMaxTags) out.push_back({python, abi, platform});
        }
      }
    }
  }
  return out;
}

bool tag_fits(const WheelTag& tag, int minor, std::string_view machine) {
  if (!platform_fits(tag.platform, machine)) return false;
  if (tag.python == "py3") return tag.abi == "none";
  if (auto since = minor_after(tag.python, "py")) return *since <= minor && tag.abi == "none";
  auto built = minor_after(tag.python, "cp");
  if (!built) return tag.python == "cp3" && (tag.abi == "abi3" || tag.abi == "none");
  if (tag.abi == "abi3") return *built <= minor;
  if (tag.abi == "none") return *built == minor;
  std::string abi = tag.abi.ends_with('m') ? tag.abi.substr(0, tag.abi.size() - 1) : tag.abi;
  return *built == minor && minor_after(abi, "cp") == minor;
}

std::optional<int> extension_minor(std::string_view path) {
  static constexpr std::string_view kMark = ".cpython-";
  std::string_view name = base_name(path);
  std::size_t at = name.rfind(kMark);
  if (at == std::string_view::npos || !name.ends_with(".so")) return std::nullopt;
  name.remove_prefix(at + kMark.size());
  std::string_view digits = name.substr(0, name.find_first_of("-."));
  if (digits.ends_with('m')) digits.remove_suffix(1);
  return minor_after(digits, "");
}

std::vector<DistPlace> find_distributions(const Tree& tree) {
  std::vector<DistPlace> out;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.type != FileType::kFile) continue;
    std::string_view folder = folder_of(path);
    std::string_view name = base_name(path);
    bool dist = name == "METADATA" && folder.ends_with(".dist-info");
    bool egg = name == "PKG-INFO" && folder.ends_with(".egg-info");
    bool file = name.ends_with(".egg-info");
    if (!dist && !egg && !file) continue;
    std::string whole = file ? path : std::string(folder);
    std::string root(folder_of(whole));
    if (!is_carried_copy(tree, root)) out.push_back({path, whole, root});
  }
  return out;
}

}  // namespace lineside::runtime
