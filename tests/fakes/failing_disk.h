// SPDX-License-Identifier: Apache-2.0
// A disk that stops taking writes at a chosen call, as after a power cut: everything before is
// there, that call and all later ones change nothing until it is mended. Or one that takes none
// below a chosen path, as when the file system there is full.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <string>

#include "proto/base/disk.h"

namespace lineside::fakes {

class FailingDisk final : public Disk {
 public:
  explicit FailingDisk(Disk& disk, Error error = {Code::kIo, "the power is gone"})
      : disk_(disk), error_(std::move(error)) {}

  void fail_from(std::uint64_t call) { limit_ = call; }
  void mend() { limit_ = std::numeric_limits<std::uint64_t>::max(); }
  // Every path that contains `part`; no path if it is empty. Any thread.
  void fail_at(const std::string& part, Code code) {
    std::scoped_lock lock(mutex_);
    part_ = part;
    code_ = code;
  }
  // What free_bytes() says from now on.
  void set_free(std::uint64_t bytes) { free_ = bytes; }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] bool failed() const { return writes_ > limit_; }

  Result<std::unique_ptr<InputFile>> open(const Path& path) const override {
    return disk_.open(path);
  }
  Result<std::unique_ptr<OutputFile>> create(const Path& path, std::uint32_t mode) override {
    if (cut(path)) return dead();
    return disk_.create(path, mode);
  }
  Result<std::unique_ptr<OutputFile>> reopen(const Path& path) override {
    if (cut(path)) return dead();
    return disk_.reopen(path);
  }
  Result<Bytes> read(const Path& path, std::uint64_t max_bytes) const override {
    return disk_.read(path, max_bytes);
  }
  Result<void> replace(const Path& path, BytesView data, std::uint32_t mode) override {
    return cut(path) ? Result<void>(dead()) : disk_.replace(path, data, mode);
  }
  Result<void> rename(const Path& from, const Path& to) override {
    return cut(to) ? Result<void>(dead()) : disk_.rename(from, to);
  }
  Result<void> exchange(const Path& one, const Path& other) override {
    return cut(one) ? Result<void>(dead()) : disk_.exchange(one, other);
  }
  Result<void> remove(const Path& path) override {
    return cut(path) ? Result<void>(dead()) : disk_.remove(path);
  }
  Result<void> remove_tree(const Path& path) override {
    return cut(path) ? Result<void>(dead()) : disk_.remove_tree(path);
  }
  Result<void> make_dirs(const Path& path) override {
    return cut(path) ? Result<void>(dead()) : disk_.make_dirs(path);
  }
  Result<void> share(const Path& from, const Path& to) override {
    return cut(to) ? Result<void>(dead()) : disk_.share(from, to);
  }
  Result<void> make_link(const std::string& target, const Path& path) override {
    return cut(path) ? Result<void>(dead()) : disk_.make_link(target, path);
  }
  Result<void> replace_link(const std::string& target, const Path& path) override {
    return cut(path) ? Result<void>(dead()) : disk_.replace_link(target, path);
  }
  Result<std::string> read_link(const Path& path) const override { return disk_.read_link(path); }
  Result<void> set_mode(const Path& path, std::uint32_t mode) override {
    return cut(path) ? Result<void>(dead()) : disk_.set_mode(path, mode);
  }
  Result<std::vector<DirEntry>> list(const Path& dir) const override { return disk_.list(dir); }
  Result<std::optional<FileInfo>> stat(const Path& path) const override { return disk_.stat(path); }
  Result<void> sync_dir(const Path& dir) override {
    return cut(dir) ? Result<void>(dead()) : disk_.sync_dir(dir);
  }
  Result<void> sync_tree(const Path& dir) override {
    return cut(dir) ? Result<void>(dead()) : disk_.sync_tree(dir);
  }
  Result<std::uint64_t> free_bytes(const Path& dir) const override {
    return free_ ? Result<std::uint64_t>(*free_) : disk_.free_bytes(dir);
  }

 private:
  bool cut(const Path& path) {
    std::scoped_lock lock(mutex_);
    bool full = !part_.empty() && path.string().find(part_) != std::string::npos;
    return ++writes_ > limit_ || full;
  }
  Error dead() const {
    std::scoped_lock lock(mutex_);
    if (!part_.empty()) return {code_, "no byte more at " + part_};
    return error_;
  }

  Disk& disk_;
  Error error_;
  mutable std::mutex mutex_;
  std::string part_;
  Code code_ = Code::kIo;
  std::optional<std::uint64_t> free_;
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> limit_{std::numeric_limits<std::uint64_t>::max()};
};

}  // namespace lineside::fakes
