// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "proto/trust/document.h"
#include "proto/trust/tuf/metadata.h"

namespace lineside::trust {
namespace {

using Lines = std::vector<std::string>;

std::string heading(const std::string& role, const tuf::Envelope* before,
                    const tuf::Envelope& after) {
  std::string versions = before == nullptr
                             ? fmt::format("{} {}, the first", role, after.version)
                             : fmt::format("{} {} -> {}", role, before->version, after.version);
  return fmt::format("{}, ends {}", versions, format_utc(after.expires));
}

std::string holder(const tuf::Root& root, const std::string& keyid) {
  auto key = root.keys.find(keyid);
  std::string shown = key == root.keys.end() ? "unknown key" : key->second.fingerprint();
  return fmt::format("{} ({})", tuf::name_of(root, keyid), shown);
}

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

void describe_role(const std::string& name, const std::string& role, const tuf::Root* before,
                   const tuf::Root& after, Lines& lines) {
  static const tuf::RoleKeyIds kNobody;
  const tuf::RoleKeyIds& now = after.roles.at(role);
  const tuf::RoleKeyIds& was = before == nullptr ? kNobody : before->roles.at(role);
  for (const std::string& id : now.keyids) {
    if (!contains(was.keyids, id)) {
      lines.push_back(fmt::format("+ {}: {} may sign", name, holder(after, id)));
    }
  }
  for (const std::string& id : was.keyids) {
    if (!contains(now.keyids, id)) {
      lines.push_back(fmt::format("- {}: {} may sign no more", name, holder(*before, id)));
    }
  }
  std::string must = fmt::format("{} of {}", now.threshold, now.keyids.size());
  std::string had = fmt::format("{} of {}", was.threshold, was.keyids.size());
  if (before == nullptr) {
    lines.push_back(fmt::format("  {}: {} must sign", name, must));
  } else if (must != had) {
    lines.push_back(fmt::format("  {}: {} must sign, before it was {}", name, must, had));
  }
}

Result<Lines> describe_root(BytesView old_bytes, BytesView bytes, RootOf whose) {
  std::optional<tuf::Root> before;
  if (!old_bytes.empty()) {
    TRY_ASSIGN(before, tuf::parse_root(old_bytes));
  }
  TRY_ASSIGN(tuf::Root after, tuf::parse_root(bytes));
  const tuf::Root* old = before ? &*before : nullptr;
  Lines lines{heading(whose == RootOf::kSite ? "site root" : "root", old, after)};
  for (const char* role : {"root", "targets", "snapshot", "timestamp"}) {
    bool operators = whose == RootOf::kSite && std::string_view(role) == "targets";
    describe_role(operators ? "operators" : role, role, old, after, lines);
  }
  return lines;
}

std::string target_line(const char* sign, const TargetInfo& target) {
  std::optional<Digest> digest = target.sha256();
  return fmt::format("{} {}, {} bytes, sha256 {}", sign, clean_text(target.name, 300),
                     target.length, digest ? digest->hex().substr(0, 16) : "none");
}

void describe_delegations(const tuf::Targets& before, const tuf::Targets& after, Lines& lines) {
  auto named = [](const tuf::Targets& file, const std::string& name) {
    return std::any_of(file.roles.begin(), file.roles.end(),
                       [&](const auto& role) { return role.name == name; });
  };
  for (const auto& role : after.roles) {
    lines.push_back(fmt::format("{} role {}: {} of {} keys for {}",
                                named(before, role.name) ? " " : "+", clean_text(role.name, 80),
                                role.keyids.threshold, role.keyids.keyids.size(),
                                clean_text(fmt::format("{}", fmt::join(role.paths, ", ")), 300)));
  }
  for (const auto& role : before.roles) {
    if (!named(after, role.name)) {
      lines.push_back(fmt::format("- role {}", clean_text(role.name, 80)));
    }
  }
}

Result<Lines> describe_targets(BytesView old_bytes, BytesView bytes) {
  tuf::Targets before;
  if (!old_bytes.empty()) {
    TRY_ASSIGN(before, tuf::parse_targets(old_bytes));
  }
  TRY_ASSIGN(tuf::Targets after, tuf::parse_targets(bytes));
  Lines lines{heading("targets", old_bytes.empty() ? nullptr : &before, after)};
  for (const auto& [name, target] : after.targets) {
    auto old = before.targets.find(name);
    if (old == before.targets.end()) {
      lines.push_back(target_line("+", target));
    } else if (old->second.hashes != target.hashes || old->second.length != target.length) {
      lines.push_back(target_line("! OTHER CONTENT:", target));
    }
  }
  for (const auto& [name, target] : before.targets) {
    if (!after.targets.contains(name)) lines.push_back(target_line("-", target));
  }
  describe_delegations(before, after, lines);
  return lines;
}

Result<Lines> describe_snapshot(BytesView old_bytes, BytesView bytes) {
  tuf::Snapshot before;
  if (!old_bytes.empty()) {
    TRY_ASSIGN(before, tuf::parse_snapshot(old_bytes));
  }
  TRY_ASSIGN(tuf::Snapshot after, tuf::parse_snapshot(bytes));
  Lines lines{heading("snapshot", old_bytes.empty() ? nullptr : &before, after)};
  for (const auto& [name, meta] : after.meta) {
    auto old = before.meta.find(name);
    if (old != before.meta.end() && old->second.version == meta.version) continue;
    lines.push_back(fmt::format("  {} version {}", clean_text(name, 100), meta.version));
  }
  return lines;
}

Result<Lines> describe_timestamp(BytesView old_bytes, BytesView bytes) {
  tuf::Timestamp before;
  if (!old_bytes.empty()) {
    TRY_ASSIGN(before, tuf::parse_timestamp(old_bytes));
  }
  TRY_ASSIGN(tuf::Timestamp after, tuf::parse_timestamp(bytes));
  return Lines{heading("timestamp", old_bytes.empty() ? nullptr : &before, after),
               fmt::format("  snapshot version {}", after.snapshot.version)};
}

}  // namespace

std::string key_name(const std::string& key_file) {
  std::string name = std::filesystem::path(key_file).stem().string().substr(0, 64);
  for (char& c : name) {
    if (!tuf::is_key_name(std::string_view(&c, 1))) c = '-';
  }
  return name.empty() ? "-" : name;
}

Result<Lines> describe_change(BytesView before, BytesView after, RootOf whose) {
  TRY_ASSIGN(tuf::AnyRole file, tuf::parse_any(after));
  if (!before.empty()) {
    TRY_ASSIGN(tuf::AnyRole old, tuf::parse_any(before));
    if (old.type != file.type) {
      return Error{Code::kMismatch,
                   fmt::format("{} where {} was expected", clean_text(file.type, 40), old.type)};
    }
  }
  if (file.type == "root") return describe_root(before, after, whose);
  if (file.type == "targets") return describe_targets(before, after);
  if (file.type == "snapshot") return describe_snapshot(before, after);
  if (file.type == "timestamp") return describe_timestamp(before, after);
  return Error{Code::kUnsupported, "metadata of type " + clean_text(file.type, 40)};
}

}  // namespace lineside::trust
