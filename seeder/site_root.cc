// SPDX-License-Identifier: Apache-2.0
#include "seeder/site_root.h"

#include <fmt/format.h>

#include "proto/http/fetcher.h"
#include "proto/trust/tuf/trusted_set.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::seeder {
namespace {

constexpr std::uint64_t kMaxRootBytes = 1ULL << 20;

std::string name_of(std::int64_t version) {
  return fmt::format("{}.root.json", version);
}

// Asks the second for what the first does not have.
class EitherFetcher final : public trust::Fetcher {
 public:
  EitherFetcher(trust::Fetcher& first, trust::Fetcher& second) : first_(first), second_(second) {}
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override {
    Result<Bytes> found = first_.fetch(path, max_bytes);
    if (found.ok() || found.error().code != Code::kNotFound) return found;
    return second_.fetch(path, max_bytes);
  }

 private:
  trust::Fetcher& first_;
  trust::Fetcher& second_;
};

// One file that somebody handed over.
class OneFile final : public trust::Fetcher {
 public:
  OneFile(std::string name, BytesView bytes) : name_(std::move(name)), bytes_(bytes) {}
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override {
    if (path != name_) return Error{Code::kNotFound, std::string(path)};
    if (bytes_.size() > max_bytes) return Error{Code::kTooLarge, name_};
    return Bytes(bytes_.begin(), bytes_.end());
  }

 private:
  std::string name_;
  BytesView bytes_;
};

}  // namespace

SiteRoot::SiteRoot(Disk& disk, Clock& clock, const Path& state)
    : disk_(disk),
      clock_(clock),
      trusted_(state / "site" / "trust"),
      metadata_(state / "site" / "metadata") {}

Result<trust::Authority> SiteRoot::load(const Path& commissioned) {
  std::lock_guard lock(mutex_);
  TRY(disk_.make_dirs(metadata_));
  TRY(disk_.make_dirs(trusted_));
  TRY_ASSIGN(Bytes root, disk_.read(commissioned, kMaxRootBytes));
  TRY(trust::Updater::anchor(disk_, trusted_, root));
  http::DirectoryFetcher beside(disk_, commissioned.parent_path());
  http::DirectoryFetcher taken(disk_, metadata_);
  EitherFetcher fetcher(beside, taken);
  trust::Updater updater(disk_, trusted_, fetcher, clock_.now());
  TRY(updater.load());
  TRY(updater.refresh_root());
  for (std::int64_t version = 1; version <= updater.version("root"); ++version) {
    Result<Bytes> bytes = beside.fetch(name_of(version), kMaxRootBytes);
    if (bytes.ok()) TRY(disk_.replace(metadata_ / name_of(version), *bytes));
  }
  return updater.authority("targets");
}

// What nodes can fetch is written before it is trusted here: after a power cut in between, load()
// finds it there.
Result<SiteRoot::Taken> SiteRoot::take(BytesView root) {
  std::lock_guard lock(mutex_);
  TRY_ASSIGN(Bytes present, disk_.read(trusted_ / "root.json", kMaxRootBytes));
  TRY_ASSIGN(auto chain, trust::tuf::TrustedSet::start(present, clock_.now()));
  TRY(chain.update_root(root));
  TRY(chain.check_root_expiry());
  const std::int64_t next = chain.root().file.version;
  TRY(disk_.replace(metadata_ / name_of(next), root));
  OneFile fetcher(name_of(next), root);
  trust::Updater updater(disk_, trusted_, fetcher, clock_.now());
  TRY(updater.load());
  TRY(updater.refresh_root());
  TRY_ASSIGN(trust::Authority operators, updater.authority("targets"));
  return Taken{next, std::move(operators)};
}

}  // namespace lineside::seeder
