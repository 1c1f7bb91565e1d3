// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/hash_files.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace lineside::runtime {
namespace {

Result<Digest> hash_file(const Disk& disk, const Path& path, Bytes& buffer) {
  TRY_ASSIGN(auto file, disk.open(path));
  Sha256 hash;
  for (std::uint64_t at = 0; at < file->size();) {
    TRY_ASSIGN(std::size_t got, file->read_at(at, buffer));
    if (got == 0) return Error{Code::kIo, path.string() + ": became shorter while it was read"};
    hash.update(BytesView(buffer).first(got));
    at += got;
  }
  return hash.finish();
}

}  // namespace

void hash_files(const Disk& disk, std::vector<HashJob>& jobs, unsigned threads) {
  constexpr std::size_t kPiece = 1 << 20;
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<std::size_t> next = 0;
  auto work = [&] {
    Bytes buffer(kPiece);
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      jobs[i].digest = hash_file(disk, jobs[i].path, buffer);
    }
  };
  std::vector<std::jthread> pool;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, jobs.size()); ++i) {
    pool.emplace_back(work);
  }
  work();  // the caller's thread is one of them; the others join here
}

}  // namespace lineside::runtime
