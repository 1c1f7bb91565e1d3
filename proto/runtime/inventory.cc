// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proto/runtime/hash_files.h"
#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

constexpr std::uint64_t kMaxText = 16 << 20;  // METADATA with a long description, or a RECORD

bool looks_shared(std::string_view name) {
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

bool looks_native(std::string_view path) {
  std::string_view name = base_name(path);
  return looks_shared(name) || base_name(folder_of(path)) == "bin" ||
         name.find('.') == std::string_view::npos;
}

class Surveyor {
 public:
  Surveyor(const Disk& disk, const Path& root, const InventoryOptions& options, Tree tree)
      : disk_(disk), root_(root), options_(options), tree_(std::move(tree)) {}

  Inventory survey() {
    out_.pythons = find_pythons(disk_, root_, tree_, "runtime/");
    for (const DistPlace& place : find_distributions(tree_)) package(place);
    for (const auto& [path, entry] : tree_.entries()) {
      if (entry.type == FileType::kFile) file(path, entry);
    }
    link_names();
    hash();
    provide();
    return std::move(out_);
  }

 private:
  void unread(const std::string& path, const Error& error) {
    out_.unread.push_back(fmt::format("{}: {}", path, error.what));
  }

  std::optional<std::string> text(const std::string& path) {
    auto data = disk_.read(root_ / path, kMaxText);
    if (data.ok()) return std::string(as_text(*data));
    unread(path, data.error());
    return std::nullopt;
  }

  void package(const DistPlace& place) {
    auto words = text(place.metadata);
    if (!words) return;
    auto metadata = parse_metadata(*words);
    if (!metadata.ok()) return unread(place.metadata, metadata.error());
    Package out{metadata->name,          metadata->version,         place.folder,
                metadata->requires_dist, metadata->requires_python, {}};
    if (tree_.has(place.folder + "/WHEEL")) {
      if (auto wheel = text(place.folder + "/WHEEL")) out.tags = parse_wheel_tags(*wheel);
    }
    if (options_.check_records && tree_.has(place.folder + "/RECORD")) record(place, out.name);
    out_.packages.push_back(std::move(out));
  }

  void record(const DistPlace& place, const std::string& name) {
    auto words = text(place.folder + "/RECORD");
    if (!words) return;
    auto entries = parse_record(*words);
    if (!entries.ok()) return unread(place.folder + "/RECORD", entries.error());
    for (const RecordEntry& entry : *entries) recorded_file(place, name, entry);
  }

  void recorded_file(const DistPlace& place, const std::string& name, const RecordEntry& entry) {
    // What lies above the folder (scripts, manual pages) is often moved by installers, and compiled
    // files come and go: neither says that the package is broken.
    bool loose = entry.path.starts_with("..") || entry.path.starts_with('/') ||
                 entry.path.find("__pycache__/") != std::string::npos;
    std::string path =
        entry.path.starts_with('/') ? std::string() : join_within(place.root, entry.path);
    std::string real = tree_.resolve(path);
    if (real.empty()) {
      if (!loose) {
        out_.record_problems.push_back({RecordProblem::Kind::kMissing, name, path});
      }
      return;
    }
    const TreeEntry& there = tree_.entries().find(real)->second;
    if (loose || !entry.sha256 || there.type != FileType::kFile) return;
    if (entry.size && *entry.size != there.size) {
      out_.record_problems.push_back({RecordProblem::Kind::kDiffers, name, path});
      return;
    }
    jobs_.push_back({root_ / real, {}});
    checks_.push_back({name, path, *entry.sha256});
  }

  void file(const std::string& path, const TreeEntry& entry) {
    bool runtime = path.starts_with("runtime/");
    if (path.starts_with("models/")) model(path, entry);
    if (runtime && extension_minor(path)) out_.extensions.push_back(path);
    bool firmware_library = path.starts_with("firmware/") && looks_shared(base_name(path));
    if ((runtime && looks_native(path)) || firmware_library) native(path, runtime);
  }

  void native(const std::string& path, bool runtime) {
    auto opened = disk_.open(root_ / path);
    if (!opened.ok()) return unread(path, opened.error());
    std::array<std::uint8_t, 4> head{};
    auto got = (*opened)->read_at(0, head);
    if (!got.ok() || *got != head.size() || !is_elf(head)) return;  // a script, or a linker's text
    auto elf = read_elf(**opened);
    if (!elf.ok()) return unread(path, elf.error());
    if (looks_shared(base_name(path))) library(path, *elf);
    if (base_name(path) == "libc.so.6" && !runtime) {
      out_.has_rootfs = true;
      out_.provides["__arch"] = elf->machine;
    }
    if (runtime) out_.objects.push_back({path, std::move(*elf)});
  }

  void library(const std::string& path, const ElfFacts& elf) {
    for (const std::string& name : {std::string(base_name(path)), elf.soname}) {
      if (name.empty()) continue;
      auto& versions = out_.libraries[name];
      versions.insert(versions.end(), elf.version_definitions.begin(),
                      elf.version_definitions.end());
    }
  }

  // libfoo.so.1 -> libfoo.so.1.2: programs ask for the link's name.
  void link_names() {
    for (const auto& [path, entry] : tree_.entries()) {
      if (entry.type != FileType::kLink || !looks_shared(base_name(path))) continue;
      auto found = out_.libraries.find(base_name(tree_.resolve(path)));
      if (found != out_.libraries.end()) {
        out_.libraries.emplace(std::string(base_name(path)), found->second);
      }
    }
  }

  void model(const std::string& path, const TreeEntry& entry) {
    ModelFile out;
    out.path = path;
    out.size = entry.size;
    std::string_view name = base_name(path);
    out.format = name.find('.') == std::string_view::npos
                     ? "unknown"
                     : lowered(name.substr(name.rfind('.') + 1));
    if (out.format == "onnx") {
      auto opened = disk_.open(root_ / path);
      auto facts = opened.ok() ? read_onnx(**opened) : Result<OnnxFacts>(opened.error());
      if (facts.ok()) {
        out.onnx = std::move(*facts);
      } else {
        unread(path, facts.error());
      }
    }
    jobs_.push_back({root_ / path, {}});
    checks_.push_back({"", path, std::nullopt});
    out_.models.push_back(std::move(out));
  }

  void hash() {
    hash_files(disk_, jobs_, options_.threads);
    std::size_t model = 0;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const Check& check = checks_[i];
      const auto& digest = *jobs_[i].digest;
      if (!digest.ok()) {
        unread(check.path, digest.error());
      } else if (!check.wanted) {
        out_.models[model].sha256 = *digest;
      } else if (*digest != *check.wanted) {
        out_.record_problems.push_back({RecordProblem::Kind::kDiffers, check.package, check.path});
      }
      if (!check.wanted) ++model;
      auto entry = tree_.entries().find(check.path);
      if (entry != tree_.entries().end()) out_.bytes_hashed += entry->second.size;
    }
    out_.files_hashed = jobs_.size();
  }

  void provide() {
    static constexpr std::array<std::array<std::string_view, 3>, 3> kFacts = {
        {{"__glibc", "libc.so.6", "GLIBC_"},
         {"__libstdcxx", "libstdc++.so.6", "GLIBCXX_"},
         {"__cxxabi", "libstdc++.so.6", "CXXABI_"}}};
    for (auto [fact, library, prefix] : kFacts) {
      auto found = out_.libraries.find(library);
      if (!out_.has_rootfs || found == out_.libraries.end()) continue;
      std::string version = highest_version(found->second, prefix);
      if (!version.empty()) out_.provides.emplace(fact, version);
    }
    if (!out_.provides.contains("__arch")) majority_machine();
  }

  void majority_machine() {
    std::map<std::string, int> votes;
    for (const NativeObject& object : out_.objects) ++votes[object.elf.machine];
    auto most = std::max_element(votes.begin(), votes.end(),
                                 [](auto& a, auto& b) { return a.second < b.second; });
    if (most != votes.end()) out_.provides["__arch"] = most->first;
  }

  struct Check {
    std::string package;
    std::string path;
    std::optional<Digest> wanted;  // none for a model
  };

  const Disk& disk_;
  const Path& root_;
  const InventoryOptions& options_;
  Tree tree_;
  Inventory out_;
  std::vector<HashJob> jobs_;
  std::vector<Check> checks_;  // beside jobs_
};

}  // namespace

std::string highest_version(const std::vector<std::string>& definitions, std::string_view prefix) {
  std::optional<Version> best;
  for (const std::string& definition : definitions) {
    if (!definition.starts_with(prefix)) continue;
    auto version = Version::parse(std::string_view(definition).substr(prefix.size()));
    if (version.ok() && (!best || *version > *best)) best = std::move(*version);
  }
  return best ? best->str() : std::string();
}

Result<Inventory> read_inventory(const Disk& disk, const Path& bundle_tree,
                                 const InventoryOptions& options) {
  TRY_ASSIGN(Tree tree, Tree::read(disk, bundle_tree));
  return Surveyor(disk, bundle_tree, options, std::move(tree)).survey();
}

}  // namespace lineside::runtime
