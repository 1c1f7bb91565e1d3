// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "proto/base/disk.h"

namespace lineside {
namespace {

Code code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return Code::kExists;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
      return Code::kDenied;
    case ENOSPC:
    case EDQUOT:
      return Code::kNoSpace;
    case EFBIG:
      return Code::kTooLarge;
    default:
      return Code::kIo;
  }
}

Error failure(const char* verb, const Path& path, int number = errno) {
  return {code_of(number),
          std::string("cannot ") + verb + " " + path.string() + ": " + std::strerror(number)};
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

Path parent_of(const Path& path) {
  Path parent = path.parent_path();
  return parent.empty() ? Path(".") : parent;
}

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kFile;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kLink;
  return FileType::kOther;
}

class PosixInput final : public InputFile {
 public:
  PosixInput(Fd fd, Path path, std::uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::uint8_t> out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      ssize_t count = ::pread(fd_.get(), out.data() + done, out.size() - done,
                              static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failure("read", path_);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

 private:
  Fd fd_;
  Path path_;
  std::uint64_t size_;
};

class PosixOutput final : public OutputFile {
 public:
  PosixOutput(Fd fd, Path path, std::uint64_t end)
      : fd_(std::move(fd)), path_(std::move(path)), end_(end) {}

  [[nodiscard]] Result<void> append(BytesView data) override {
    TRY(write_at(end_, data));
    return ok();
  }

  [[nodiscard]] Result<void> write_at(std::uint64_t offset, BytesView data) override {
    std::size_t done = 0;
    while (done < data.size()) {
      ssize_t count = ::pwrite(fd_.get(), data.data() + done, data.size() - done,
                               static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failure("write", path_);
      done += static_cast<std::size_t>(count);
    }
    end_ = std::max(end_, offset + data.size());
    return ok();
  }

  [[nodiscard]] Result<void> sync() override {
    if (::fsync(fd_.get()) != 0) return failure("sync", path_);
    return ok();
  }

 private:
  Fd fd_;
  Path path_;
  std::uint64_t end_;
};

class PosixDisk final : public Disk {
 public:
  [[nodiscard]] Result<std::unique_ptr<InputFile>> open(const Path& path) const override {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return failure("open", path);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return failure("stat", path);
    if (!S_ISREG(info.st_mode)) {
      return Error{Code::kIo, "cannot open " + path.string() + ": not a regular file"};
    }
    return std::unique_ptr<InputFile>(std::make_unique<PosixInput>(
        std::move(fd), path, static_cast<std::uint64_t>(info.st_size)));
  }

  [[nodiscard]] Result<std::unique_ptr<OutputFile>> create(const Path& path,
                                                           std::uint32_t mode) override {
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return failure("create", path);
    if (::fchmod(fd.get(), mode) != 0) return failure("set the mode of", path);
    return std::unique_ptr<OutputFile>(std::make_unique<PosixOutput>(std::move(fd), path, 0));
  }

  [[nodiscard]] Result<std::unique_ptr<OutputFile>> reopen(const Path& path) override {
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return failure("open", path);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return failure("stat", path);
    return std::unique_ptr<OutputFile>(std::make_unique<PosixOutput>(
        std::move(fd), path, static_cast<std::uint64_t>(info.st_size)));
  }

  [[nodiscard]] Result<Bytes> read(const Path& path, std::uint64_t max_bytes) const override {
    TRY_ASSIGN(auto file, open(path));
    if (file->size() > max_bytes) {
      return Error{Code::kTooLarge, path.string() + " has " + std::to_string(file->size()) +
                                        " bytes, at most " + std::to_string(max_bytes) +
                                        " are allowed"};
    }
    Bytes data(file->size());
    TRY_ASSIGN(std::size_t count, file->read_at(0, data));
    data.resize(count);
    return data;
  }

  [[nodiscard]] Result<void> replace(const Path& path, BytesView data,
                                     std::uint32_t mode) override {
    std::string name = (parent_of(path) / ("." + path.filename().string() + ".XXXXXX")).string();
    Fd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd) return failure("create a temporary file beside", path);
    Result<void> written = fill(std::move(fd), name, data, mode);
    if (written.ok() && ::rename(name.c_str(), path.c_str()) != 0) {
      written = failure("replace", path);
    }
    if (!written.ok()) {
      ::unlink(name.c_str());
      return written;
    }
    return sync_dir(parent_of(path));
  }

  [[nodiscard]] Result<void> rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return failure("rename", from).with("to " + to.string());
    }
    TRY(sync_dir(parent_of(to)));
    if (parent_of(from) != parent_of(to)) TRY(sync_dir(parent_of(from)));
    return ok();
  }

  [[nodiscard]] Result<void> exchange(const Path& one, const Path& other) override {
    if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0) {
      if (errno == EINVAL || errno == ENOSYS) {
        return Error{Code::kUnsupported,
                     "this file system cannot exchange " + one.string() + " and " + other.string()};
      }
      return failure("exchange", one).with("with " + other.string());
    }
    TRY(sync_dir(parent_of(other)));
    if (parent_of(one) != parent_of(other)) TRY(sync_dir(parent_of(one)));
    return ok();
  }

  [[nodiscard]] Result<void> remove(const Path& path) override {
    if (::remove(path.c_str()) != 0) {
      if (errno == ENOENT) return ok();
      return failure("remove", path);
    }
    return sync_dir(parent_of(path));
  }

  [[nodiscard]] Result<void> remove_tree(const Path& path) override {
    TRY_ASSIGN(auto info, stat(path));
    if (!info) return ok();
    if (info->type == FileType::kDirectory) {
      // A read-only folder cannot be emptied.
      if ((info->mode & 0700) != 0700) TRY(set_mode(path, info->mode | 0700));
      TRY_ASSIGN(auto entries, list(path));
      for (const DirEntry& entry : entries) TRY(remove_below(path / entry.name));
    }
    return remove(path);
  }

  [[nodiscard]] Result<void> make_dirs(const Path& path) override {
    if (path.empty()) return ok();
    TRY_ASSIGN(auto info, follow(path));
    if (info) {
      if (info->type == FileType::kDirectory) return ok();
      return Error{Code::kExists, path.string() + " exists and is no directory"};
    }
    if (path.has_parent_path() && path.parent_path() != path) TRY(make_dirs(path.parent_path()));
    if (path.filename().empty()) return ok();
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return failure("create", path);
    return sync_dir(parent_of(path));
  }

  [[nodiscard]] Result<void> share(const Path& from, const Path& to) override {
    Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!source) return failure("open", from);
    struct stat info {};
    if (::fstat(source.get(), &info) != 0) return failure("stat", from);
    // Whole before it has a name: a cut must not leave an empty file that looks like a copy.
    Fd copy(::open(parent_of(to).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
    if (copy && ::ioctl(copy.get(), FICLONE, source.get()) == 0 &&
        ::fchmod(copy.get(), info.st_mode & 07777) == 0) {
      std::string unnamed = "/proc/self/fd/" + std::to_string(copy.get());
      if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0) {
        return ok();
      }
      if (errno == EEXIST) return failure("create", to);
    }
    if (::link(from.c_str(), to.c_str()) != 0) {
      return failure("link", from).with("to " + to.string());
    }
    return ok();
  }

  [[nodiscard]] Result<void> make_link(const std::string& target, const Path& path) override {
    if (::symlink(target.c_str(), path.c_str()) != 0) return failure("create the link", path);
    return ok();
  }

  [[nodiscard]] Result<void> replace_link(const std::string& target, const Path& path) override {
    Path fresh = parent_of(path) / ("." + path.filename().string() + ".new");
    TRY(remove(fresh));
    TRY(make_link(target, fresh));
    return rename(fresh, path);
  }

  [[nodiscard]] Result<std::string> read_link(const Path& path) const override {
    std::string target(4096, '\0');
    ssize_t count = ::readlink(path.c_str(), target.data(), target.size());
    if (count < 0) return failure("read the link", path);
    target.resize(static_cast<std::size_t>(count));
    return target;
  }

  [[nodiscard]] Result<void> set_mode(const Path& path, std::uint32_t mode) override {
    if (::fchmodat(AT_FDCWD, path.c_str(), mode, 0) != 0) return failure("set the mode of", path);
    return ok();
  }

  [[nodiscard]] Result<std::vector<DirEntry>> list(const Path& dir) const override {
    DIR* stream = ::opendir(dir.c_str());
    if (stream == nullptr) return failure("list", dir);
    std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<DirEntry> entries;
    errno = 0;
    while (dirent* entry = ::readdir(stream)) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      TRY_ASSIGN(auto info, stat(dir / name));
      if (info) entries.push_back({name, info->type});
      errno = 0;
    }
    if (errno != 0) return failure("list", dir);
    std::sort(entries.begin(), entries.end(),
              [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
    return entries;
  }

  [[nodiscard]] Result<std::optional<FileInfo>> stat(const Path& path) const override {
    return stat_with(path, AT_SYMLINK_NOFOLLOW);
  }

  [[nodiscard]] Result<void> sync_dir(const Path& dir) override {
    Fd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failure("open", dir);
    if (::fsync(fd.get()) != 0) return failure("sync", dir);
    return ok();
  }

  // One syncfs(2) instead of an fsync for each of thousands of files. It reports write-back errors
  // since Linux 5.8.
  [[nodiscard]] Result<void> sync_tree(const Path& dir) override {
    Fd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failure("open", dir);
    if (::syncfs(fd.get()) != 0) return failure("sync the file system of", dir);
    return ok();
  }

  [[nodiscard]] Result<std::uint64_t> free_bytes(const Path& dir) const override {
    struct statvfs info {};
    if (::statvfs(dir.c_str(), &info) != 0) return failure("ask for the free space of", dir);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }

 private:
  static Result<void> fill(Fd fd, const Path& name, BytesView data, std::uint32_t mode) {
    if (::fchmod(fd.get(), mode) != 0) return failure("set the mode of", name);
    PosixOutput file(std::move(fd), name, 0);
    TRY(file.append(data));
    return file.sync();
  }

  // Like remove_tree, but leaves the syncing of the parent to the caller: one sync a folder.
  Result<void> remove_below(const Path& path) {
    TRY_ASSIGN(auto info, stat(path));
    if (!info) return ok();
    if (info->type == FileType::kDirectory) {
      if ((info->mode & 0700) != 0700) TRY(set_mode(path, info->mode | 0700));
      TRY_ASSIGN(auto entries, list(path));
      for (const DirEntry& entry : entries) TRY(remove_below(path / entry.name));
    }
    if (::remove(path.c_str()) != 0 && errno != ENOENT) return failure("remove", path);
    return ok();
  }

  static Result<std::optional<FileInfo>> follow(const Path& path) { return stat_with(path, 0); }

  static Result<std::optional<FileInfo>> stat_with(const Path& path, int flags) {
    struct stat info {};
    if (::fstatat(AT_FDCWD, path.c_str(), &info, flags) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileInfo>();
      return failure("stat", path);
    }
    FileInfo result;
    result.type = type_of(info.st_mode);
    result.mode = info.st_mode & 07777;
    result.size = result.type == FileType::kFile ? static_cast<std::uint64_t>(info.st_size) : 0;
    result.inode = info.st_ino;
    result.links = info.st_nlink;
    result.mtime_ns = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
    return std::optional<FileInfo>(result);
  }
};

}  // namespace

std::unique_ptr<Disk> make_posix_disk() {
  return std::make_unique<PosixDisk>();
}

}  // namespace lineside
