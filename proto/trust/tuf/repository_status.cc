// SPDX-License-Identifier: Apache-2.0
// How far a repository is signed: what clients see, and what waits for signatures.
#include "proto/trust/tuf/repository.h"
#include "proto/trust/tuf/repository_files.h"

namespace lineside::trust {
namespace {

// nullopt: nothing waits.
Result<std::optional<Bytes>> waiting_file(const Repository& repository, std::string_view role) {
  Result<Bytes> bytes = repository.staged(role);
  if (bytes.ok()) return std::optional<Bytes>(std::move(bytes).value());
  if (bytes.error().code == Code::kNotFound) return std::optional<Bytes>();
  return bytes.error();
}

}  // namespace

Result<std::vector<Repository::RoleStatus>> Repository::status() const {
  TRY_ASSIGN(tuf::Newest newest, tuf::Files(disk_, dir_).newest());
  std::vector<RoleStatus> out;
  auto add = [&](std::string role, const tuf::Envelope& file, BytesView bytes) -> Result<void> {
    TRY_ASSIGN(SignatureState state, signature_state(bytes, newest.root.bytes, role));
    out.push_back({std::move(role), file.version, file.expires, std::move(state)});
    return ok();
  };
  TRY(add("root", newest.root.file, newest.root.bytes));
  TRY(add("timestamp", newest.timestamp.file, newest.timestamp.bytes));
  TRY(add("snapshot", newest.snapshot.file, newest.snapshot.bytes));
  TRY(add("targets", newest.targets.file, newest.targets.bytes));
  return out;
}

Result<Bytes> Repository::published(std::string_view role) const {
  tuf::Files files(disk_, dir_);
  if (role == "root") {
    TRY_ASSIGN(auto root, files.root());
    return std::move(root.bytes);
  }
  TRY_ASSIGN(tuf::Newest newest, files.newest());
  if (role == "timestamp") return std::move(newest.timestamp.bytes);
  if (role == "snapshot") return std::move(newest.snapshot.bytes);
  if (role == "targets") return std::move(newest.targets.bytes);
  return Error{Code::kNotFound, "no top-level role " + std::string(role)};
}

Result<std::vector<Repository::Waiting>> Repository::waiting() const {
  tuf::Files files(disk_, dir_);
  TRY_ASSIGN(std::int64_t version, files.newest_root());
  TRY_ASSIGN(auto root, waiting_file(*this, "root"));
  TRY_ASSIGN(auto targets, waiting_file(*this, "targets"));
  std::vector<Waiting> out;
  auto add = [&](std::string role, BytesView bytes, BytesView by, bool of_next) -> Result<void> {
    TRY_ASSIGN(tuf::AnyRole file, tuf::parse_any(bytes));
    TRY_ASSIGN(SignatureState state, signature_state(bytes, by, role));
    out.push_back({std::move(role), file.version, std::move(state), of_next});
    return ok();
  };
  if (version > 0) {
    TRY_ASSIGN(auto present, files.root());
    if (root) TRY(add("root", *root, present.bytes, false));
    if (targets) TRY(add("targets", *targets, present.bytes, false));
  }
  if (root) TRY(add("root", *root, *root, true));
  if (root && targets) TRY(add("targets", *targets, *root, true));
  return out;
}

}  // namespace lineside::trust
