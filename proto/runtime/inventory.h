// SPDX-License-Identifier: Apache-2.0
// What a bundle's tree holds, measured from its files and never typed: the manifest's facts come
// from here, and the audit reads nothing else.
//
// A tree has firmware/ (a root file system or opaque images), runtime/ (Python and its packages)
// and models/.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proto/runtime/dist_info.h"
#include "proto/runtime/elf.h"
#include "proto/runtime/onnx.h"
#include "proto/runtime/python_runtime.h"

namespace lineside::runtime {

struct Package {
  std::string name;     // as its metadata writes it
  std::string version;  // as written; may be invalid
  std::string place;    // path of its dist-info or egg-info
  std::vector<std::string> requires_dist;
  std::string requires_python;
  std::vector<WheelTag> tags;  // empty if it was not installed from a wheel
};

struct ModelFile {
  std::string path;
  std::string format;  // "onnx", or the file name's ending
  std::uint64_t size = 0;
  Digest sha256;
  std::optional<OnnxFacts> onnx;
};

struct NativeObject {
  std::string path;
  ElfFacts elf;
};

// A file that a RECORD names and that is not as it says.
struct RecordProblem {
  enum class Kind { kDiffers, kMissing } kind = Kind::kDiffers;
  std::string package;
  std::string path;
};

struct Inventory {
  std::vector<PythonRuntime> pythons;  // the runtime's own first
  std::vector<Package> packages;
  std::vector<ModelFile> models;
  std::vector<NativeObject> objects;  // below runtime/
  std::vector<std::string>
      extensions;  // Python modules with a version in their name, below runtime/
  std::vector<RecordProblem> record_problems;
  // Every shared library in the tree, by file name and by soname, with the versions it defines.
  std::map<std::string, std::vector<std::string>, std::less<>> libraries;
  std::map<std::string, std::string, std::less<>>
      provides;                     // "__glibc" = "2.36", "__arch" = "x86_64"
  bool has_rootfs = false;          // the firmware's own C library was seen
  std::vector<std::string> unread;  // "path: why": files that should have been facts and are not
  std::uint64_t files_hashed = 0;
  std::uint64_t bytes_hashed = 0;
};

struct InventoryOptions {
  bool check_records = true;  // hash every file that a RECORD names
  unsigned threads = 0;       // for hashing; 0: one a processor
};

// The disk's errors, kTooLarge (see Tree). A broken file inside the tree is no error: see `unread`.
Result<Inventory> read_inventory(const Disk& disk, const Path& bundle_tree,
                                 const InventoryOptions& options = {});

// The manifest's form; objects, extensions and libraries are left out of it, being what the facts
// were derived from.
nlohmann::json inventory_json(const Inventory& inventory);
// Reads that form back. kMalformed.
Result<Inventory> parse_inventory(const nlohmann::json& json);

// The versions of `prefix` ("GLIBC_") among `definitions`, the highest; empty if none is numeric.
std::string highest_version(const std::vector<std::string>& definitions, std::string_view prefix);

}  // namespace lineside::runtime
