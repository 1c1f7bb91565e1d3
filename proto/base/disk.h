// SPDX-License-Identifier: Apache-2.0
// The one interface through which files that matter are read and written.
//
// What "durable" means here: after the call returns ok, a power cut loses nothing of it; before,
// the old state is whole. Calls marked (durable) sync the file and the folders involved. Everything
// else is durable only after OutputFile::sync() and sync_dir() or sync_tree().
//
// Symbolic links are never followed in the last component of a path. Errors name the path.
// Codes: kNotFound, kExists, kDenied, kNoSpace, kTooLarge, kIo.
// Thread-safe for different paths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside {

using Path = std::filesystem::path;

enum class FileType { kFile, kDirectory, kLink, kOther };

struct FileInfo {
  FileType type = FileType::kOther;
  std::uint32_t mode = 0;  // permission bits, 07777
  std::uint64_t size = 0;  // bytes; 0 for what is not a file
  std::uint64_t inode = 0;
  std::uint64_t links = 0;  // hard links
  std::int64_t mtime_ns = 0;
};

struct DirEntry {
  std::string name;
  FileType type = FileType::kOther;
};

class InputFile {
 public:
  virtual ~InputFile() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Fills `out` from `offset`; returns fewer bytes only at the end of the file. Any thread.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::uint8_t> out) const = 0;
};

class OutputFile {
 public:
  virtual ~OutputFile() = default;  // closes; what was not synced may be lost
  [[nodiscard]] virtual Result<void> append(BytesView data) = 0;
  [[nodiscard]] virtual Result<void> write_at(std::uint64_t offset, BytesView data) = 0;
  [[nodiscard]] virtual Result<void> sync() = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;

  [[nodiscard]] virtual Result<std::unique_ptr<InputFile>> open(const Path& path) const = 0;
  // A new file; kExists if there is one. `mode` as given, whatever the umask.
  [[nodiscard]] virtual Result<std::unique_ptr<OutputFile>> create(const Path& path,
                                                                   std::uint32_t mode) = 0;
  // An existing or new file (0644), to be appended to or written at an offset.
  [[nodiscard]] virtual Result<std::unique_ptr<OutputFile>> reopen(const Path& path) = 0;
  // The whole file; kTooLarge if it has more than `max_bytes`.
  [[nodiscard]] virtual Result<Bytes> read(const Path& path, std::uint64_t max_bytes) const = 0;
  // (durable) The file holds either its old bytes or `data`, never a part.
  [[nodiscard]] virtual Result<void> replace(const Path& path, BytesView data,
                                             std::uint32_t mode = 0644) = 0;
  // (durable) Atomic; an existing file, link or empty directory at `to` is replaced.
  [[nodiscard]] virtual Result<void> rename(const Path& from, const Path& to) = 0;
  // (durable) Atomic; each gets the other's name. kUnsupported if the file system cannot.
  [[nodiscard]] virtual Result<void> exchange(const Path& one, const Path& other) = 0;
  // (durable) No error if it does not exist. `remove` takes a file, link or empty directory.
  [[nodiscard]] virtual Result<void> remove(const Path& path) = 0;
  [[nodiscard]] virtual Result<void> remove_tree(const Path& path) = 0;
  // (durable) With parents, 0755; no error if it exists.
  [[nodiscard]] virtual Result<void> make_dirs(const Path& path) = 0;
  // A new name for the same bytes: reflink where the file system can, else a hard link. The file
  // must be treated as read-only afterwards.
  [[nodiscard]] virtual Result<void> share(const Path& from, const Path& to) = 0;
  // A new symbolic link; kExists if the name is taken.
  [[nodiscard]] virtual Result<void> make_link(const std::string& target, const Path& path) = 0;
  // (durable) The link points at the old or at the new target, never at nothing.
  [[nodiscard]] virtual Result<void> replace_link(const std::string& target, const Path& path) = 0;
  [[nodiscard]] virtual Result<std::string> read_link(const Path& path) const = 0;
  [[nodiscard]] virtual Result<void> set_mode(const Path& path, std::uint32_t mode) = 0;
  // Sorted by name, bytewise; without "." and "..".
  [[nodiscard]] virtual Result<std::vector<DirEntry>> list(const Path& dir) const = 0;
  // nullopt if nothing is there.
  [[nodiscard]] virtual Result<std::optional<FileInfo>> stat(const Path& path) const = 0;
  [[nodiscard]] virtual Result<void> sync_dir(const Path& dir) = 0;
  // (durable) All files and folders below `dir`, and `dir` itself.
  [[nodiscard]] virtual Result<void> sync_tree(const Path& dir) = 0;
  // Bytes that an unprivileged writer can still write to the file system of `dir`.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const Path& dir) const = 0;
};

// The machine's own disk.
std::unique_ptr<Disk> make_posix_disk();

}  // namespace lineside
