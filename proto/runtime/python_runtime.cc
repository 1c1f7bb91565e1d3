// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/python_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "proto/runtime/pep440.h"
#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

// "python3.11" -> 11
std::optional<int> minor_of(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  int minor = 0;
  auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), minor);
  if (bad != std::errc() || end != name.data() + name.size() || minor < 0) return std::nullopt;
  return minor;
}

// What one path says: an interpreter, its library, or its standard library.
std::optional<int> shown_by(std::string_view path, bool& binary) {
  std::string_view name = base_name(path);
  std::string_view folder = folder_of(path);
  binary = true;
  if (base_name(folder) == "bin") return minor_of(name, "python3.");
  if (name.starts_with("libpython3.") && name.find(".so") != std::string_view::npos) {
    return minor_of(name.substr(0, name.find(".so")), "libpython3.");
  }
  binary = false;
  if (name == "os.py" && base_name(folder_of(folder)) == "lib") {
    return minor_of(base_name(folder), "python3.");
  }
  return std::nullopt;
}

std::string search(std::string_view bytes, const std::string& mark) {
  for (std::size_t at = bytes.find(mark); at != std::string_view::npos;
       at = bytes.find(mark, at + 1)) {
    std::size_t end = at + mark.size();
    while (end < bytes.size() && is_digit(bytes[end])) ++end;
    bool digits = end > at + mark.size();
    // Linkers merge the text with the end of a longer one, "/build/Python-3.11.7".
    bool begins = at == 0 || bytes[at - 1] == '\0' || bytes[at - 1] == '/' || bytes[at - 1] == '-';
    if (begins && digits && end < bytes.size() && (bytes[end] == '\0' || bytes[end] == '+')) {
      return std::string(bytes.substr(at, end - at));
    }
  }
  return {};
}

}  // namespace

std::string version_text(const InputFile& file, int minor) {
  constexpr std::uint64_t kWindow = 1 << 20;
  constexpr std::uint64_t kOverlap = 64;
  constexpr std::uint64_t kMaxBytes = 64 << 20;
  const std::string mark = fmt::format("3.{}.", minor);
  Bytes window(kWindow);
  for (std::uint64_t at = 0; at < std::min(file.size(), kMaxBytes); at += kWindow - kOverlap) {
    auto got = file.read_at(at, window);
    if (!got.ok()) return {};
    std::string found = search(as_text(BytesView(window).first(*got)), mark);
    if (!found.empty()) return found;
  }
  return {};
}

std::vector<PythonRuntime> find_pythons(const Disk& disk, const Path& root, const Tree& tree,
                                        std::string_view first) {
  std::map<std::pair<bool, int>, PythonRuntime> found;  // (outside `first`, minus minor)
  for (const auto& [path, entry] : tree.entries()) {
    bool binary = false;
    auto minor = shown_by(path, binary);
    if (!minor || entry.type != FileType::kFile) continue;
    bool outside = !path.starts_with(first);
    auto& runtime = found[{outside, -*minor}];
    if (runtime.where.empty()) {
      runtime = {*minor, fmt::format("3.{}", *minor), path};
    }
    if (!binary || std::count(runtime.version.begin(), runtime.version.end(), '.') == 2) continue;
    auto file = disk.open(root / path);
    if (!file.ok()) continue;
    if (std::string text = version_text(**file, *minor); !text.empty()) {
      runtime.version = text;
      runtime.where = path;
    }
  }
  std::vector<PythonRuntime> out;
  for (auto& [order, runtime] : found) out.push_back(std::move(runtime));
  return out;
}

Result<PythonRuntime> declared_python(std::string_view version) {
  auto parsed = Version::parse(version);
  if (parsed.ok() && parsed->part(0) == Number("3") && parsed->release.size() >= 2) {
    if (auto minor = minor_of(parsed->part(1).text(), "")) {
      return PythonRuntime{*minor, parsed->str(), "declared"};
    }
  }
  return Error{Code::kMalformed,
               fmt::format("'{}': a Python version like 3.11 or 3.11.2 expected", version)};
}

}  // namespace lineside::runtime
