// SPDX-License-Identifier: Apache-2.0
#include "delta/grouping.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "delta/similarity.h"

namespace lineside::delta {
namespace {

using trust::Entry;

constexpr double kLeastSimilarity = 0.1;
constexpr std::uint64_t kLengthRatio = 16;  // lengths further apart are not compared
constexpr std::uint64_t kSmallFileBytes = 256U << 10;
constexpr std::uint64_t kNewPackBytes = 32ULL << 20;
constexpr std::size_t kPortionBytes = 256U << 10;

Result<Sketch> sketch_file(const Disk& disk, const Path& path) {
  TRY_ASSIGN(auto file, disk.open(path));
  Sketch sketch;
  Bytes portion(kPortionBytes);
  for (std::uint64_t at = 0;;) {
    TRY_ASSIGN(std::size_t got, file->read_at(at, portion));
    sketch.update(BytesView(portion).first(got));
    at += got;
    if (got < portion.size()) break;
  }
  sketch.finish();
  return sketch;
}

// Sketches of base files, made when first asked for.
class Sketches {
 public:
  Sketches(const Disk& disk, const TreePlan& plan, const TreeOnDisk& tree)
      : disk_(disk), plan_(plan), tree_(tree) {}

  Result<const Sketch*> of(std::uint32_t number) {
    auto found = made_.find(number);
    if (found == made_.end()) {
      TRY_ASSIGN(Sketch sketch, sketch_file(disk_, tree_.path_of(*plan_.base_files[number])));
      found = made_.emplace(number, std::move(sketch)).first;
    }
    return static_cast<const Sketch*>(&found->second);
  }

 private:
  const Disk& disk_;
  const TreePlan& plan_;
  const TreeOnDisk& tree_;
  std::unordered_map<std::uint32_t, Sketch> made_;
};

bool comparable(const Entry& a, const Entry& b) {
  return a.length > 0 && a.length / kLengthRatio <= b.length && b.length / kLengthRatio <= a.length;
}

Result<std::optional<std::uint32_t>> most_similar(const Disk& disk, const TreePlan& plan,
                                                  const Entry& wanted, const TreeOnDisk& target,
                                                  Sketches& sketches, std::stop_token stop) {
  TRY_ASSIGN(Sketch mine, sketch_file(disk, target.path_of(wanted)));
  std::optional<std::uint32_t> best;
  double best_score = kLeastSimilarity;
  for (std::uint32_t i = 0; i < plan.base_files.size(); ++i) {
    if (stop.stop_requested()) return Error{Code::kCancelled, "stopped on request"};
    const Entry& candidate = *plan.base_files[i];
    if (!comparable(candidate, wanted)) continue;
    TRY_ASSIGN(const Sketch* sketch, sketches.of(i));
    double score = mine.similarity(*sketch) + name_similarity(candidate.path, wanted.path);
    if (score <= best_score) continue;
    best_score = score;
    best = i;
  }
  return best;
}

std::string_view extension(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot);
}

// Fills one group until it is full, then begins the next.
class Packer {
 public:
  Packer(const TreePlan& plan, std::uint64_t most, std::vector<Group>& groups)
      : plan_(plan), most_(most), groups_(groups) {}

  void add(std::uint32_t target, std::optional<std::uint32_t> base) {
    std::uint64_t length = plan_.files[plan_.coded[target]].entry->length;
    std::uint64_t base_length = base ? plan_.base_files[*base]->length : 0;
    if (group_.target_bytes + length > most_ || group_.base_bytes + base_length > most_) end();
    group_.targets.push_back(target);
    group_.target_bytes += length;
    if (!base || std::find(group_.bases.begin(), group_.bases.end(), *base) != group_.bases.end()) {
      return;
    }
    group_.bases.push_back(*base);
    group_.base_bytes += base_length;
  }

  void end() {
    if (!group_.targets.empty()) groups_.push_back(std::move(group_));
    group_ = {};
  }

 private:
  const TreePlan& plan_;
  std::uint64_t most_;
  std::vector<Group>& groups_;
  Group group_;
};

}  // namespace

Result<Partners> find_partners(const Disk& disk, const TreePlan& plan, const TreeOnDisk& base,
                               const TreeOnDisk& target, std::stop_token stop) {
  std::unordered_map<std::string_view, std::uint32_t> by_path;
  for (std::uint32_t i = 0; i < plan.base_files.size(); ++i) {
    if (plan.base_files[i]->length > 0) by_path.emplace(plan.base_files[i]->path, i);
  }
  Sketches sketches(disk, plan, base);
  Partners partners;
  for (std::uint32_t number : plan.coded) {
    const Entry& entry = *plan.files[number].entry;
    auto same_path = by_path.find(entry.path);
    if (same_path != by_path.end()) {
      partners.emplace_back(same_path->second);
    } else if (by_path.empty()) {
      partners.emplace_back(std::nullopt);
    } else {
      TRY_ASSIGN(auto similar, most_similar(disk, plan, entry, target, sketches, stop));
      partners.push_back(similar);
    }
  }
  return partners;
}

std::vector<Group> group_files(const TreePlan& plan, const Partners& partners,
                               std::uint64_t pack_bytes) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < plan.coded.size(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    std::string_view left = plan.files[plan.coded[a]].entry->path;
    std::string_view right = plan.files[plan.coded[b]].entry->path;
    return std::tuple(extension(left), left) < std::tuple(extension(right), right);
  });
  std::vector<Group> groups;
  Packer changed(plan, pack_bytes, groups);
  Packer fresh(plan, kNewPackBytes, groups);
  for (std::uint32_t target : order) {
    std::optional<std::uint32_t> base = partners[target];
    std::uint64_t length = plan.files[plan.coded[target]].entry->length;
    if (!base) {
      fresh.add(target, base);
    } else if (length <= kSmallFileBytes && plan.base_files[*base]->length <= kSmallFileBytes) {
      changed.add(target, base);
    } else {
      Packer alone(plan, length, groups);
      alone.add(target, base);
      alone.end();
    }
  }
  changed.end();
  fresh.end();
  return groups;
}

}  // namespace lineside::delta
