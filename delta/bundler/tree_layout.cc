// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/tree_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace lineside::bundler {
namespace {

constexpr std::array<std::string_view, 4> kParts = {"firmware", "models", "runtime", "validation"};
constexpr std::uint64_t kMaxVersionFileBytes = 64 * 1024;

std::string_view top_of(std::string_view path) {
  return path.substr(0, path.find('/'));
}

Result<void> need_file(const trust::Listing& listing, const std::string& path) {
  const trust::Entry* entry = listing.find(path);
  if (entry != nullptr && entry->type == trust::EntryType::kFile) return ok();
  return Error{Code::kIncompatible,
               fmt::format("{} names {}, but the tree has no such file", kProbeFile, path)};
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

// VERSION_ID=12 or VERSION_ID="12" on a line of its own: os-release(5).
std::optional<std::string> os_release_version(std::string_view text) {
  constexpr std::string_view kKey = "VERSION_ID=";
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(kKey)) continue;
    std::string value = trimmed(line.substr(kKey.size()));
    bool quoted = value.size() >= 2 && (value[0] == '"' || value[0] == '\'');
    if (quoted && value.back() == value[0]) value = value.substr(1, value.size() - 2);
    return value;
  }
  return std::nullopt;
}

}  // namespace

Result<void> check_layout(const trust::Listing& listing) {
  std::set<std::string_view> filled;
  for (const trust::Entry& entry : listing.entries) {
    std::string_view top = top_of(entry.path);
    if (std::find(kParts.begin(), kParts.end(), top) == kParts.end()) {
      return Error{Code::kIncompatible,
                   fmt::format("the tree holds '{}'; a bundle has firmware/, runtime/, models/ and "
                               "validation/ and nothing beside them",
                               top)};
    }
    if (entry.path == top && entry.type != trust::EntryType::kDirectory) {
      return Error{Code::kIncompatible, fmt::format("'{}' is not a folder", top)};
    }
    if (entry.type == trust::EntryType::kFile) filled.insert(top);
  }
  for (std::string_view part : kParts) {
    if (!filled.contains(part)) {
      return Error{Code::kIncompatible,
                   fmt::format("the tree has no file below {}/; firmware, ML runtime, models and "
                               "their check are shipped as one unit",
                               part)};
    }
  }
  const trust::Entry* probe = listing.find(kProbeFile);
  if (probe == nullptr || probe->type != trust::EntryType::kFile) {
    return Error{Code::kIncompatible,
                 "the tree has no validation/probe.json: without an inference "
                 "check no device can tell whether it infers"};
  }
  return ok();
}

Result<ProbeFacts> read_probe(const Disk& disk, const Path& tree, const trust::Listing& listing) {
  TRY_ASSIGN(Bytes text, disk.read(tree / kProbeFile, runtime::kMaxProbeSpecBytes));
  Result<runtime::ProbeSpec> spec = runtime::parse_probe_spec(text);
  if (!spec.ok()) return Error{spec.error().code, "validation/" + spec.error().what};
  ProbeFacts facts;
  facts.digest = sha256(text);
  for (const runtime::ProbeCase& one : spec->cases) {
    facts.tests.push_back("infer.case." + one.name);
    for (const auto& [name, file] : one.inputs) TRY(need_file(listing, "validation/" + file));
    for (const auto& [name, golden] : one.outputs) {
      TRY(need_file(listing, "validation/" + golden.file));
    }
  }
  for (const runtime::NegativeCase& one : spec->negative_cases) {
    facts.tests.push_back("infer.negative." + one.name);
  }
  for (const runtime::ProbeModel& model : spec->models) TRY(need_file(listing, model.path));
  facts.models = std::move(spec->models);
  return facts;
}

Result<std::string> firmware_version(const Disk& disk, const Path& tree) {
  for (const char* name : {"VERSION", "etc/os-release", "usr/lib/os-release"}) {
    Path file = tree / "firmware" / name;
    TRY_ASSIGN(auto info, disk.stat(file));
    if (!info || info->type != FileType::kFile) continue;
    TRY_ASSIGN(Bytes bytes, disk.read(file, kMaxVersionFileBytes));
    std::string_view text = as_text(bytes);
    if (std::string_view(name) == "VERSION") {
      return trimmed(text.substr(0, text.find('\n')));
    }
    if (auto version = os_release_version(text)) return *version;
  }
  return std::string();
}

}  // namespace lineside::bundler
