// SPDX-License-Identifier: Apache-2.0
// A listing says what stands in a tree: one line of canonical JSON for each entry, sorted by path.
//
//     {"mode":493,"path":"runtime/bin","type":"dir"}
//     {"length":88,"mode":420,"path":"runtime/bin/run.py","root":"9f…","type":"file"}
//     {"path":"runtime/lib/libx.so","target":"libx.so.1","type":"link"}
//
// A tree is named by the SHA-256 of its listing's bytes (TreeId). The empty tree has an empty
// listing: it is the base of a full delivery. A root does not bind a length (a 32 KiB file and the
// 64 bytes of its two leaf hashes have one root), so the length is compared first, everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::trust {

using TreeId = Digest;

enum class EntryType { kFile, kDirectory, kLink };

struct Entry {
  std::string path;  // relative, '/' between names
  EntryType type = EntryType::kFile;
  std::uint32_t mode = 0;    // permission bits 0777; files and directories
  std::uint64_t length = 0;  // files, bytes
  Digest root;               // files: see merkle.h; for length 0 the SHA-256 of nothing
  std::string target;        // links

  bool operator==(const Entry&) const = default;
};

struct Listing {
  std::vector<Entry> entries;  // sorted by path, bytewise, no path twice

  [[nodiscard]] const Entry* find(std::string_view path) const;  // nullptr if absent
  [[nodiscard]] std::uint64_t total_length() const;
  bool operator==(const Listing&) const = default;
};

struct ListingLimits {
  std::uint64_t max_bytes = 256ULL << 20;
  std::uint64_t max_entries = 2'000'000;
};

// What makes a path safe to write below a root: UTF-8, 1 to 4096 bytes, names of 1 to 255 bytes
// between single '/', none "." or "..", no control characters, no backslash, relative.
Result<void> check_path(std::string_view path);
// A relative target must stay inside the tree; an absolute one is allowed only below firmware/,
// where it belongs to a root file system that nobody here follows.
Result<void> check_link(std::string_view path, std::string_view target);

// kMalformed with line number and reason: bad JSON, unknown or missing members, unsafe path or
// link, order, a parent that is not listed as a directory before its children; kTooLarge.
Result<Listing> parse_listing(BytesView bytes, const ListingLimits& limits = {});
// Exactly the bytes that parse_listing takes and TreeId hashes. `listing` must be valid and sorted.
Bytes serialise(const Listing& listing);
TreeId tree_id(const Listing& listing);
// SHA-256 of the listing's lines below `folder` ("validation"), for facts about a part of the tree.
Digest part_digest(const Listing& listing, std::string_view folder);

}  // namespace lineside::trust
