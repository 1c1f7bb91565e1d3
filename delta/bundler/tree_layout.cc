// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/tree_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"

namespace lineside::bundler {
namespace {

constexpr std::array<std::string_view, 4> kParts = {"firmware", "models", "runtime", "validation"};
constexpr std::uint64_t kMaxProbeBytes = 1 << 20;
constexpr std::uint64_t kMaxVersionFileBytes = 64 * 1024;

std::string_view top_of(std::string_view path) {
  return path.substr(0, path.find('/'));
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
  if (listing.find(kProbeFile) == nullptr) {
    return Error{Code::kIncompatible,
                 "the tree has no validation/probe.json: without an inference "
                 "check no device can tell whether it infers"};
  }
  return ok();
}

Result<ProbeFacts> read_probe(const Disk& disk, const Path& tree) {
  TRY_ASSIGN(Bytes text, disk.read(tree / kProbeFile, kMaxProbeBytes));
  // Limits such as rtol are fractions, so this is plain JSON and not the canonical kind.
  auto probe = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (probe.is_discarded() || !probe.is_object()) {
    return Error{Code::kMalformed, std::string(kProbeFile) + " is not a JSON object"};
  }
  ProbeFacts facts;
  facts.digest = sha256(text);
  for (const auto& [list, prefix] :
       {std::pair{"cases", "infer.case."}, std::pair{"negative_cases", "infer.negative."}}) {
    auto cases = probe.find(list);
    if (cases == probe.end()) continue;
    for (const auto& item : *cases) {
      if (!item.is_object() || !item.contains("name") || !item["name"].is_string()) {
        return Error{Code::kMalformed,
                     fmt::format("{}: an entry of '{}' has no name", kProbeFile, list)};
      }
      facts.tests.push_back(prefix + item["name"].get<std::string>());
    }
  }
  if (facts.tests.empty()) {
    return Error{Code::kIncompatible, std::string(kProbeFile) +
                                          " has no cases: a check without "
                                          "golden outputs cannot fail"};
  }
  return facts;
}

Result<std::string> firmware_version(const Disk& disk, const Path& tree) {
  for (const char* name : {"VERSION", "etc/os-release", "usr/lib/os-release"}) {
    Path file = tree / "firmware" / name;
    TRY_ASSIGN(auto info, disk.stat(file));
    if (!info || info->type != FileType::kFile) continue;
    TRY_ASSIGN(Bytes bytes, disk.read(file, kMaxVersionFileBytes));
    std::string_view text = as_text(bytes);
    if (std::string_view(name) == "VERSION") return std::string(text.substr(0, text.find('\n')));
    constexpr std::string_view kKey = "VERSION_ID=\"";
    std::size_t at = text.find(kKey);
    if (at == std::string_view::npos) continue;
    text.remove_prefix(at + kKey.size());
    return std::string(text.substr(0, text.find('"')));
  }
  return std::string();
}

}  // namespace lineside::bundler
