// SPDX-License-Identifier: Apache-2.0
#include "delta/make_delivery.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <thread>

#include "delta/apply_delivery.h"
#include "delta/candidates.h"
#include "delta/file_costs.h"
#include "delta/format.h"
#include "delta/grouping.h"
#include "delta/plan.h"
#include "proto/trust/merkle.h"

namespace lineside::delta {
namespace {

using trust::Entry;

constexpr std::uint64_t kLeastApplyMemory = 8ULL << 20;
constexpr std::uint64_t kMostApplyMemory = 1ULL << 30;

struct Maker {
  const MakeOptions& options;
  const Disk& disk;
  const TreePlan& plan;
  const TreeOnDisk& base;
  const TreeOnDisk& target;
  const Progress& progress;
  std::stop_token stop;
};

// Appends the file's bytes, which must be those of its entry.
Result<void> append_file(const Disk& disk, const TreeOnDisk& tree, const Entry& entry, Bytes& out,
                         const std::stop_token& stop) {
  if (stop.stop_requested()) return Error{Code::kCancelled, "making the delivery was stopped"};
  TRY_ASSIGN(auto file, disk.open(tree.path_of(entry)));
  std::size_t begin = out.size();
  bool same = file->size() == entry.length;
  if (same) {
    out.resize(begin + entry.length);
    std::span<std::uint8_t> room = std::span(out).subspan(begin);
    TRY_ASSIGN(std::size_t got, file->read_at(0, room));
    trust::MerkleHasher hasher;
    hasher.update(room);
    same = got == room.size() && trust::root_of(hasher.finish()) == entry.root;
  }
  if (same) return ok();
  return Error{Code::kMismatch, tree.path_of(entry).string() + " is not what its listing says"};
}

Result<CodedUnit> code_group(const Maker& maker, const Group& group) {
  Bytes base;
  Bytes target;
  base.reserve(group.base_bytes);
  target.reserve(group.target_bytes);
  for (std::uint32_t number : group.bases) {
    TRY(append_file(maker.disk, maker.base, *maker.plan.base_files[number], base, maker.stop));
  }
  for (std::uint32_t number : group.targets) {
    const Entry& entry = *maker.plan.files[maker.plan.coded[number]].entry;
    TRY(append_file(maker.disk, maker.target, entry, target, maker.stop));
  }
  CandidateOptions options;
  options.effort = maker.options.effort;
  options.lzma = maker.options.lzma;
  options.apply_memory_bytes = maker.options.apply_memory_bytes;
  TRY_ASSIGN(CodedUnit coded, best_code(base, target, options, maker.stop));
  coded.unit.targets = group.targets;
  coded.unit.bases = group.bases;
  if (coded.unit.method == Method::kPlain) {  // it needs none
    coded.unit.bases.clear();
    coded.unit.base_length = 0;
  }
  return coded;
}

// Codes the groups on several threads, the largest first; results stand in the order of the groups.
class Workshop {
 public:
  Workshop(const Maker& maker, const std::vector<Group>& groups)
      : maker_(maker), groups_(groups), order_(groups.size()), results_(groups.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return groups_[a].target_bytes > groups_[b].target_bytes;
    });
    for (const Group& group : groups_) total_ += group.target_bytes;
  }

  Result<std::vector<CodedUnit>> run() {
    {
      std::vector<std::jthread> others;
      std::size_t threads = std::min<std::size_t>(maker_.options.threads, groups_.size());
      for (std::size_t i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
      work();
    }
    if (failure_) return *failure_;
    return std::move(results_);
  }

 private:
  void work() {
    for (std::size_t i = next_++; i < order_.size(); i = next_++) {
      Result<CodedUnit> coded = code_group(maker_, groups_[order_[i]]);
      std::lock_guard lock(mutex_);
      if (!coded.ok()) {
        if (!failure_) failure_ = coded.error();
        next_ = order_.size();
        return;
      }
      results_[order_[i]] = std::move(coded).value();
      done_ += groups_[order_[i]].target_bytes;
      if (maker_.progress) maker_.progress(done_, total_);
    }
  }

  const Maker& maker_;
  const std::vector<Group>& groups_;
  std::vector<std::size_t> order_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;  // guards what follows
  std::vector<CodedUnit> results_;
  std::optional<Error> failure_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

struct Written {
  std::uint64_t length = 0;
  Digest root;
};

Result<Written> write_parts(Disk& disk, const Path& path, const Frame& frame,
                            const std::vector<CodedUnit>& units) {
  TRY_ASSIGN(auto file, disk.create(path, 0644));
  trust::MerkleHasher hasher;
  auto append = [&](BytesView data) {
    hasher.update(data);
    return file->append(data);
  };
  TRY(append(frame.header));
  for (const CodedUnit& coded : units) TRY(append(coded.body));
  TRY(append(frame.tail));
  TRY(file->sync());
  Written written{hasher.length(), {}};
  written.root = trust::root_of(hasher.finish());
  return written;
}

Result<Written> write_delivery(Disk& disk, const Path& out, const Frame& frame,
                               const std::vector<CodedUnit>& units) {
  Path partial = partial_path(out);
  TRY(disk.remove(partial));
  Result<Written> written = write_parts(disk, partial, frame, units);
  Result<void> renamed = written.ok() ? disk.rename(partial, out) : ok();
  if (written.ok() && renamed.ok()) return written;
  (void)disk.remove(partial).ok();  // the first error is the one that matters
  return written.ok() ? renamed.error() : written.error();
}

Result<void> check_options(const MakeOptions& options, const Disk& disk, const Path& out) {
  if (options.effort < 1 || options.effort > 3) {
    return Error{Code::kUsage, "effort is 1, 2 or 3"};
  }
  if (options.apply_memory_bytes < kLeastApplyMemory ||
      options.apply_memory_bytes > kMostApplyMemory) {
    return Error{Code::kUsage, "the memory for applying is between 8 MiB and 1 GiB"};
  }
  TRY_ASSIGN(auto info, disk.stat(out));
  if (info) return Error{Code::kExists, out.string() + " exists"};
  return ok();
}

}  // namespace

Result<DeliverySummary> make_delivery(const MakeOptions& options, Disk& disk,
                                      const std::optional<TreeOnDisk>& base,
                                      const TreeOnDisk& target, const Path& out,
                                      const Progress& progress, std::stop_token stop) {
  TRY(check_options(options, disk, out));
  const TreeOnDisk nothing;
  const TreeOnDisk& old_tree = base ? *base : nothing;
  TreePlan plan = plan_tree(old_tree.listing, target.listing);
  TRY_ASSIGN(Partners partners, find_partners(disk, plan, old_tree, target, stop));
  std::vector<Group> groups = group_files(plan, partners, options.apply_memory_bytes * 3 / 16);
  Maker maker{options, disk, plan, old_tree, target, progress, stop};
  TRY_ASSIGN(std::vector<CodedUnit> units, Workshop(maker, groups).run());
  if (stop.stop_requested()) return Error{Code::kCancelled, "making the delivery was stopped"};

  Delivery delivery;
  delivery.base = trust::tree_id(old_tree.listing);
  delivery.target = trust::tree_id(target.listing);
  if (options.embed_listing) delivery.listing = trust::serialise(target.listing);
  std::uint64_t body_length = 0;
  for (const CodedUnit& coded : units) {
    delivery.units.push_back(coded.unit);
    body_length += coded.body.size();
  }
  TRY_ASSIGN(Frame frame, make_frame(delivery, body_length));
  TRY_ASSIGN(Written written, write_delivery(disk, out, frame, units));
  DeliverySummary summary;
  summary.length = written.length;
  summary.root = written.root;
  summary.apply_memory_bytes = delivery.apply_memory();
  summary.files = file_costs(plan, delivery.units);
  return summary;
}

}  // namespace lineside::delta
