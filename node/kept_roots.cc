// SPDX-License-Identifier: Apache-2.0
#include "node/kept_roots.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "proto/base/log.h"
#include "proto/trust/json.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxMetadataBytes = 4 << 20;

}  // namespace

std::int64_t root_version(std::string_view name) {
  constexpr std::string_view kEnd = ".root.json";
  if (!name.ends_with(kEnd) || name.front() == '0') return 0;
  const std::string_view digits = name.substr(0, name.size() - kEnd.size());
  std::int64_t version = 0;
  auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  const bool whole = bad == std::errc() && end == digits.data() + digits.size();
  return whole && version > 0 ? version : 0;
}

std::int64_t stored_version(const Disk& disk, const Path& file) {
  auto bytes = disk.read(file, kMaxMetadataBytes);
  if (!bytes.ok()) return 0;
  auto value = trust::parse_json(*bytes, "metadata", {kMaxMetadataBytes, 32});
  if (!value.ok() || !value->is_object()) return 0;
  auto part = value->find("signed");
  if (part == value->end() || !part->is_object()) return 0;
  auto version = part->find("version");
  if (version == part->end() || !version->is_number_integer()) return 0;
  return version->get<std::int64_t>();
}

Path kept_root(const Path& metadata, std::int64_t version) {
  return metadata / "chain" / (std::to_string(version) + ".root.json");
}

Result<Bytes> KeptRoots::fetch(std::string_view path, std::uint64_t max_bytes) {
  TRY_ASSIGN(Bytes bytes, from_.fetch(path, max_bytes));
  const std::int64_t version = root_version(path);
  if (version == 0) return bytes;
  const Path file = kept_root(metadata_, version);
  auto keep = [&]() -> Result<void> {
    TRY(disk_.make_dirs(file.parent_path()));
    return disk_.replace(file, bytes);
  };
  if (auto kept = keep(); !kept.ok()) {
    log(Level::kInfo, "a root is not kept for others", {{"why", kept.error().describe()}});
  }
  return bytes;
}

}  // namespace lineside::node
