// SPDX-License-Identifier: Apache-2.0
#include "node/documents.h"

#include <algorithm>
#include <utility>

#include "proto/base/log.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxRootBytes = 1 << 20;

// For reading what the disk holds: there is nothing to fetch.
class NoFetcher final : public trust::Fetcher {
 public:
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t) override {
    return Error{Code::kNotFound, std::string(path)};
  }
};

}  // namespace

Documents::Documents(Disk& disk, Path state, TrustAnchors anchors)
    : disk_(disk), state_(std::move(state)), anchors_(std::move(anchors)) {}

Result<void> Documents::anchor(const Path& dir, const Path& root) {
  TRY_ASSIGN(auto known, disk_.stat(dir / "root.json"));
  if (known) return ok();
  auto bytes = disk_.read(root, kMaxRootBytes);
  if (!bytes.ok()) return bytes.error().with("trust anchor");
  TRY(disk_.make_dirs(dir));
  auto done = trust::Updater::init(disk_, dir, *bytes);
  if (!done.ok()) return done.error().with(root.string());
  return ok();
}

Result<void> Documents::load_operators(UtcTime now) {
  NoFetcher nowhere;
  trust::Updater updater(disk_, state_ / "trust" / "site", nowhere, now);
  TRY(updater.load());
  TRY_ASSIGN(operators_, updater.authority("targets"));
  return ok();
}

Result<void> Documents::load(UtcTime now) {
  TRY(disk_.make_dirs(state_ / "documents"));
  TRY(anchor(state_ / "trust" / "site", anchors_.site_root));
  TRY(anchor(state_ / "trust" / "vendor", anchors_.vendor_root));
  TRY(load_operators(now));
  auto roster = disk_.read(state_ / "documents" / "roster.dsse", trust::kMaxEnvelopeBytes);
  if (roster.ok()) {
    auto verified = trust::verify_roster(*roster, operators_, anchors_.site, 1);
    if (verified.ok()) {
      roster_ = std::move(*verified);
    } else {
      log(Level::kWarning, "stored roster dropped", {{"why", verified.error().describe()}});
    }
  }
  auto directive = disk_.read(state_ / "documents" / "directive.dsse", trust::kMaxEnvelopeBytes);
  if (directive.ok()) {
    auto verified = trust::verify_directive(*directive, operators_, anchors_.site, 1);
    if (verified.ok()) {
      directive_ = std::move(*verified);
    } else {
      log(Level::kWarning, "stored directive dropped", {{"why", verified.error().describe()}});
    }
  }
  return ok();
}

Result<void> Documents::refresh_site(trust::Fetcher& site_metadata, UtcTime now) {
  trust::Updater updater(disk_, state_ / "trust" / "site", site_metadata, now);
  TRY(updater.load());
  auto refreshed = updater.refresh_root();
  // Versions that were accepted on the way count, whatever came after them.
  auto operators = updater.authority("targets");
  if (operators.ok()) operators_ = std::move(*operators);
  return refreshed;
}

Result<void> Documents::take_roster(BytesView envelope) {
  std::int64_t held = roster_ ? roster_->roster.version : 1;
  TRY_ASSIGN(auto verified, trust::verify_roster(envelope, operators_, anchors_.site, held));
  if (roster_ && verified.digest == roster_->digest) return ok();
  if (roster_ && verified.roster.version == held) {
    return Error{Code::kRollback, "a second roster of version " + std::to_string(held)};
  }
  TRY(disk_.replace(state_ / "documents" / "roster.dsse", verified.envelope));
  roster_ = std::move(verified);
  return ok();
}

Result<void> Documents::take_directive(BytesView envelope) {
  std::int64_t held = directive_ ? directive_->directive.sequence : 1;
  TRY_ASSIGN(auto verified, trust::verify_directive(envelope, operators_, anchors_.site, held));
  if (directive_ && verified.digest == directive_->digest) return ok();
  if (directive_ && verified.directive.sequence == held) {
    return Error{Code::kRollback, "a second directive of sequence " + std::to_string(held)};
  }
  TRY(disk_.replace(state_ / "documents" / "directive.dsse", verified.envelope));
  directive_ = std::move(verified);
  return ok();
}

UtcTime Documents::newest_time() const {
  UtcTime newest{};
  if (roster_) newest = std::max(newest, roster_->roster.issued);
  if (directive_) newest = std::max(newest, directive_->directive.issued);
  return newest;
}

}  // namespace lineside::node
