// SPDX-License-Identifier: Apache-2.0
#include "delta/base_bytes.h"

#include <algorithm>
#include <string>

namespace lineside::delta {
namespace {

constexpr std::size_t kMaxOpenFiles = 16;

}  // namespace

Result<void> BaseInMemory::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (offset > data_.size() || out.size() > data_.size() - offset) {
    return Error{Code::kMismatch, "the base is shorter than listed"};
  }
  std::copy_n(data_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return ok();
}

BaseOnDisk::BaseOnDisk(const Disk& disk, std::vector<std::pair<Path, std::uint64_t>> files)
    : disk_(disk), files_(std::move(files)) {
  std::uint64_t begin = 0;
  for (const auto& [path, length] : files_) {
    begins_.push_back(begin);
    begin += length;
  }
}

Result<void> BaseOnDisk::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
  auto number = static_cast<std::size_t>(after - begins_.begin()) - 1;
  while (!out.empty()) {
    if (number >= files_.size()) {
      return Error{Code::kMismatch, "the base is shorter than listed"};
    }
    std::uint64_t inside = offset - begins_[number];
    std::size_t count = std::min<std::uint64_t>(out.size(), files_[number].second - inside);
    if (count > 0) {
      TRY_ASSIGN(const InputFile* input, file(number));
      TRY_ASSIGN(std::size_t got, input->read_at(inside, out.first(count)));
      if (got != count) {
        return Error{Code::kMismatch, files_[number].first.string() + " is shorter than listed"};
      }
    }
    offset += count;
    out = out.subspan(count);
    ++number;
  }
  return ok();
}

Result<const InputFile*> BaseOnDisk::file(std::size_t number) {
  auto found = std::find_if(open_.begin(), open_.end(),
                            [number](const auto& entry) { return entry.first == number; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return static_cast<const InputFile*>(open_.front().second.get());
  }
  TRY_ASSIGN(auto opened, disk_.open(files_[number].first));
  if (open_.size() == kMaxOpenFiles) open_.pop_back();
  open_.emplace_front(number, std::move(opened));
  return static_cast<const InputFile*>(open_.front().second.get());
}

}  // namespace lineside::delta
