// SPDX-License-Identifier: Apache-2.0
#include "delta/tree_writer.h"

#include <algorithm>
#include <string>

namespace lineside::delta {
namespace {

using trust::Entry;
using trust::EntryType;

constexpr std::size_t kCopyBytes = 64U << 10;

Error wrong_bytes(const std::string& what) {
  return {Code::kMismatch, what + " does not have the bytes that the listing says"};
}

}  // namespace

Result<void> TreeWriter::prepare() {
  TRY_ASSIGN(auto info, disk_.stat(dir_));
  if (info && info->type != FileType::kDirectory) TRY(disk_.remove(dir_));
  TRY(disk_.make_dirs(dir_));
  TRY(disk_.set_mode(dir_, 0755));
  TRY(prune(dir_, ""));
  for (const Entry& entry : listing_.entries) {
    if (entry.type == EntryType::kDirectory) TRY(disk_.make_dirs(path_of(entry)));
  }
  return ok();
}

// Invariant: `dir` is a folder, reached through folders alone.
Result<void> TreeWriter::prune(const Path& dir, const std::string& prefix) {
  TRY_ASSIGN(auto entries, disk_.list(dir));
  for (const DirEntry& found : entries) {
    std::string name = prefix + found.name;
    const Entry* entry = listing_.find(name);
    bool folder = entry != nullptr && entry->type == EntryType::kDirectory &&
                  found.type == FileType::kDirectory;
    bool file =
        entry != nullptr && entry->type == EntryType::kFile && found.type == FileType::kFile;
    if (folder) {
      TRY(disk_.set_mode(dir / found.name, 0755));  // its own mode may forbid writing
      TRY(prune(dir / found.name, name + "/"));
    } else if (!file) {
      TRY(disk_.remove_tree(dir / found.name));
    }
  }
  return ok();
}

Result<bool> TreeWriter::has(const Entry& file) {
  Path path = path_of(file);
  TRY_ASSIGN(auto info, disk_.stat(path));
  if (!info) return false;
  if (info->size == file.length && info->mode == mode_of(file)) {
    TRY_ASSIGN(auto input, disk_.open(path));
    TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*input, threads_));
    if (facts.length == file.length && facts.root == file.root) return true;
  }
  TRY(disk_.remove(path));
  return false;
}

Result<void> TreeWriter::take(const Path& from, const Entry& file) {
  TRY_ASSIGN(auto input, disk_.open(from));
  if (input->size() != file.length) return wrong_bytes(from.string());
  TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*input, threads_));
  if (facts.root != file.root) return wrong_bytes(from.string());
  Path path = path_of(file);
  // Sharing fails across file systems and where too many names share a file; then bytes are copied.
  if (!disk_.share(from, path).ok()) return copy(from, file);
  TRY_ASSIGN(auto info, disk_.stat(path));
  if (!info) return Error{Code::kInternal, path.string() + " vanished"};
  if (info->mode == mode_of(file)) return ok();
  if (info->links == 1) return disk_.set_mode(path, mode_of(file));
  // Another tree has the same file under the old mode.
  TRY(disk_.remove(path));
  return copy(from, file);
}

Result<void> TreeWriter::copy(const Path& from, const Entry& file) {
  TRY_ASSIGN(auto input, disk_.open(from));
  FileSeries series(*this, {{&file, false}});
  Bytes portion(kCopyBytes);
  for (std::uint64_t at = 0; at < input->size();) {
    TRY_ASSIGN(std::size_t got, input->read_at(at, portion));
    if (got == 0) break;
    TRY(series.take(BytesView(portion).first(got)));
    at += got;
  }
  return series.finish();
}

Result<void> TreeWriter::make_empty(const Entry& file) {
  TRY_ASSIGN(auto output, disk_.create(path_of(file), mode_of(file)));
  return ok();
}

Result<void> TreeWriter::finish() {
  for (const Entry& entry : listing_.entries) {
    if (entry.type == EntryType::kLink) TRY(disk_.make_link(entry.target, path_of(entry)));
  }
  TRY(disk_.sync_tree(dir_));
  // Children before parents: a folder may not be writable afterwards.
  for (auto it = listing_.entries.rbegin(); it != listing_.entries.rend(); ++it) {
    if (it->type != EntryType::kDirectory) continue;
    TRY_ASSIGN(auto info, disk_.stat(path_of(*it)));
    if (!info || info->mode == it->mode) continue;
    TRY(disk_.set_mode(path_of(*it), it->mode));
  }
  return disk_.sync_dir(dir_);
}

Result<void> FileSeries::take(BytesView data) {
  while (!data.empty()) {
    if (current_ == items_.size()) return Error{Code::kMismatch, "there are bytes too many"};
    const Item& item = items_[current_];
    if (!item.kept && file_ == nullptr) {
      TRY_ASSIGN(file_,
                 tree_.disk().create(tree_.path_of(*item.entry), tree_.mode_of(*item.entry)));
      hasher_ = {};
    }
    BytesView part = data.first(std::min<std::uint64_t>(data.size(), item.entry->length - done_));
    if (!item.kept) {
      hasher_.update(part);
      TRY(file_->append(part));
    }
    done_ += part.size();
    data = data.subspan(part.size());
    if (done_ == item.entry->length) TRY(end_file());
  }
  return ok();
}

Result<void> FileSeries::end_file() {
  const Item& item = items_[current_++];
  done_ = 0;
  if (item.kept) return ok();
  file_.reset();
  if (trust::root_of(hasher_.finish()) == item.entry->root) return ok();
  TRY(tree_.disk().remove(tree_.path_of(*item.entry)));
  return wrong_bytes(item.entry->path);
}

Result<void> FileSeries::finish() const {
  if (current_ != items_.size()) return Error{Code::kMismatch, "there are too few bytes"};
  return ok();
}

}  // namespace lineside::delta
