// SPDX-License-Identifier: Apache-2.0
#include "delta/scan.h"

#include <algorithm>
#include <set>

#include "proto/trust/merkle.h"

namespace lineside::delta {
namespace {

using trust::Entry;
using trust::EntryType;
using trust::Listing;

constexpr std::uint32_t kListedModes = 0777;

Error cancelled() {
  return {Code::kCancelled, "the scan was stopped"};
}

std::string octal(std::uint32_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3)
    text += static_cast<char>('0' + ((mode >> shift) & 7));
  return text;
}

class Scanner {
 public:
  Scanner(const Disk& disk, const Path& dir, unsigned threads, std::stop_token stop)
      : disk_(disk), dir_(dir), threads_(threads), stop_(stop) {}

  Result<Listing> run() {
    TRY(walk(""));
    std::sort(listing_.entries.begin(), listing_.entries.end(),
              [](const Entry& a, const Entry& b) { return a.path < b.path; });
    return std::move(listing_);
  }

 private:
  Result<void> walk(const std::string& prefix) {
    TRY_ASSIGN(auto found, disk_.list(dir_ / prefix));
    for (const DirEntry& item : found) {
      if (stop_.stop_requested()) return cancelled();
      std::string path = prefix + item.name;
      Result<void> added = add(path);
      if (!added.ok()) return added;
      if (item.type == FileType::kDirectory) TRY(walk(path + "/"));
    }
    return ok();
  }

  Result<void> add(const std::string& path) {
    Result<void> good = trust::check_path(path);
    if (!good.ok()) return Error{Code::kUnsupported, path}.with(good.error().what);
    TRY_ASSIGN(auto info, disk_.stat(dir_ / path));
    if (!info) return Error{Code::kNotFound, (dir_ / path).string() + " vanished"};
    Entry entry;
    entry.path = path;
    switch (info->type) {
      case FileType::kFile:
        TRY(describe_file(*info, entry));
        break;
      case FileType::kDirectory:
        entry.type = EntryType::kDirectory;
        entry.mode = info->mode & kListedModes;
        break;
      case FileType::kLink:
        TRY(describe_link(entry));
        break;
      case FileType::kOther:
        return Error{Code::kUnsupported, path + " is neither file nor folder nor link"};
    }
    listing_.entries.push_back(std::move(entry));
    return ok();
  }

  Result<void> describe_file(const FileInfo& info, Entry& entry) const {
    if ((info.mode & ~kListedModes) != 0) {
      return Error{Code::kUnsupported, entry.path + " has mode " + octal(info.mode) +
                                           ": set-id and sticky bits have no place in a listing"};
    }
    TRY_ASSIGN(auto file, disk_.open(dir_ / entry.path));
    TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*file, threads_));
    entry.mode = info.mode;
    entry.length = facts.length;
    entry.root = facts.root;
    return ok();
  }

  Result<void> describe_link(Entry& entry) const {
    entry.type = EntryType::kLink;
    TRY_ASSIGN(entry.target, disk_.read_link(dir_ / entry.path));
    Result<void> good = trust::check_link(entry.path, entry.target);
    if (!good.ok()) return Error{Code::kUnsupported, entry.path}.with(good.error().what);
    return ok();
  }

  const Disk& disk_;
  const Path& dir_;
  unsigned threads_;
  std::stop_token stop_;
  Listing listing_;
};

class Verifier {
 public:
  Verifier(const Disk& disk, const Path& dir, const Listing& listing, unsigned threads,
           std::stop_token stop)
      : disk_(disk), dir_(dir), listing_(listing), threads_(threads), stop_(stop) {}

  Result<std::vector<Difference>> run() {
    TRY_ASSIGN(auto root, disk_.stat(dir_));
    if (!root || root->type != FileType::kDirectory) {
      return Error{Code::kNotFound, dir_.string() + " is no folder"};
    }
    find_extra("");
    for (const Entry& entry : listing_.entries) {
      if (stop_.stop_requested()) return cancelled();
      if (!below_missing(entry.path)) compare(entry);
    }
    std::stable_sort(differences_.begin(), differences_.end(),
                     [](const Difference& a, const Difference& b) { return a.path < b.path; });
    return std::move(differences_);
  }

 private:
  void report(const std::string& path, DifferenceKind kind, std::string detail = "") {
    differences_.push_back({path, kind, std::move(detail)});
  }

  void find_extra(const std::string& prefix) {
    auto found = disk_.list(dir_ / prefix);
    if (!found.ok()) {
      report(prefix, DifferenceKind::kUnreadable, found.error().what);
      return;
    }
    for (const DirEntry& item : *found) {
      std::string path = prefix + item.name;
      const Entry* entry = listing_.find(path);
      if (entry == nullptr) {
        report(path, DifferenceKind::kExtra);
      } else if (item.type == FileType::kDirectory && entry->type == EntryType::kDirectory) {
        find_extra(path + "/");
      }
    }
  }

  // Whether a folder above the path is not one on disk: then the folder says enough, and a link in
  // its place is not followed.
  [[nodiscard]] bool below_missing(std::string_view path) const {
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      if (absent_.count(std::string(path.substr(0, slash))) != 0) return true;
    }
    return false;
  }

  void compare(const Entry& entry) {
    auto info = disk_.stat(dir_ / entry.path);
    bool folder = entry.type == EntryType::kDirectory;
    if (!info.ok()) {
      report(entry.path, DifferenceKind::kUnreadable, info.error().what);
      return;
    }
    if (!*info) {
      report(entry.path, DifferenceKind::kMissing);
      if (folder) absent_.insert(entry.path);
      return;
    }
    FileType wanted = folder                           ? FileType::kDirectory
                      : entry.type == EntryType::kLink ? FileType::kLink
                                                       : FileType::kFile;
    if ((*info)->type != wanted) {
      report(entry.path, DifferenceKind::kType);
      if (folder) absent_.insert(entry.path);
      return;
    }
    compare_same_type(entry, **info);
  }

  void compare_same_type(const Entry& entry, const FileInfo& info) {
    if (entry.type == EntryType::kLink) {
      compare_link(entry);
      return;
    }
    // Folders inherit set-group-id from where they are made; on a file the bits mean something.
    std::uint32_t mode = entry.type == EntryType::kDirectory ? info.mode & kListedModes : info.mode;
    bool kept_read_only = entry.type == EntryType::kFile && mode == (entry.mode & ~kWriteBits);
    if (mode != entry.mode && !kept_read_only) {
      report(entry.path, DifferenceKind::kMode, octal(mode) + ", listed " + octal(entry.mode));
    }
    if (entry.type == EntryType::kFile) compare_bytes(entry);
  }

  void compare_link(const Entry& entry) {
    auto target = disk_.read_link(dir_ / entry.path);
    if (!target.ok()) {
      report(entry.path, DifferenceKind::kUnreadable, target.error().what);
    } else if (*target != entry.target) {
      report(entry.path, DifferenceKind::kTarget, *target + ", listed " + entry.target);
    }
  }

  void compare_bytes(const Entry& entry) {
    auto file = disk_.open(dir_ / entry.path);
    if (!file.ok()) {
      report(entry.path, DifferenceKind::kUnreadable, file.error().what);
      return;
    }
    if ((*file)->size() != entry.length) {
      report(entry.path, DifferenceKind::kLength,
             std::to_string((*file)->size()) + ", listed " + std::to_string(entry.length));
      return;
    }
    auto facts = trust::hash_file(**file, threads_);
    if (!facts.ok()) {
      report(entry.path, DifferenceKind::kUnreadable, facts.error().what);
    } else if (facts->root != entry.root) {
      report(entry.path, DifferenceKind::kContent);
    }
  }

  const Disk& disk_;
  const Path& dir_;
  const Listing& listing_;
  unsigned threads_;
  std::stop_token stop_;
  std::set<std::string> absent_;
  std::vector<Difference> differences_;
};

}  // namespace

Result<Listing> scan_tree(const Disk& disk, const Path& dir, unsigned threads,
                          std::stop_token stop) {
  return Scanner(disk, dir, threads, stop).run();
}

std::string_view difference_name(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kMissing:
      return "missing";
    case DifferenceKind::kExtra:
      return "extra";
    case DifferenceKind::kType:
      return "type";
    case DifferenceKind::kMode:
      return "mode";
    case DifferenceKind::kLength:
      return "length";
    case DifferenceKind::kContent:
      return "content";
    case DifferenceKind::kTarget:
      return "target";
    case DifferenceKind::kUnreadable:
      return "unreadable";
  }
  return "unknown";
}

Result<std::vector<Difference>> verify_tree(const Disk& disk, const Path& dir,
                                            const Listing& listing, unsigned threads,
                                            std::stop_token stop) {
  return Verifier(disk, dir, listing, threads, stop).run();
}

}  // namespace lineside::delta
