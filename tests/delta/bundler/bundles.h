// SPDX-License-Identifier: Apache-2.0
// Small whole bundles for tests: a tree that the audit accepts, packed, and an origin to take it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "delta/bundler/packed.h"
#include "delta/bundler/publish.h"
#include "proto/base/disk.h"
#include "proto/trust/tuf/repository.h"
#include "tests/fakes/known_keys.h"
#include "tests/fakes/temp_dir.h"
#include "tests/proto/runtime/tree_maker.h"

namespace lineside::bundler::testing {

inline UtcTime noon() {
  return *parse_utc("2026-11-22T12:00:00Z");
}

inline std::string failure(const auto& result) {
  return result.ok() ? std::string() : result.error().describe();
}

// A vendor's workplace: trees, bundle files, packed bundles and the origin below one folder.
class Workplace {
 public:
  static constexpr const char* kProbe =
      R"({"schema":1,"argv":["{runtime}/bin/python3"],"models":[{"path":"models/vad.onnx"}],)"
      R"("cases":[{"name":"speech","outputs":{"p":{"file":"cases/golden.npy"}}}],)"
      R"("negative_cases":[{"name":"silence","expect":{"p":{"max":0.2}}}]})";
  // A tree whose packages agree; `edition` makes its firmware and model differ.
  Path tree(const std::string& name, const std::string& edition) const {
    dir.write(name + "/firmware/VERSION", edition + "\n");
    dir.write(name + "/firmware/app.bin", std::string(3000, 'f') + edition);
    dir.write(name + "/runtime/lib/python3.11/os.py", "# os\n");
    dir.write(name + "/models/vad.onnx", fakes::onnx_model(8, 16));
    dir.write(name + "/models/labels.txt", "labels of " + edition);
    dir.write(name + "/validation/probe.json", kProbe);
    dir.write(name + "/validation/cases/golden.npy", "golden");
    package(name, "numpy", "1.26.4");
    package(name, "tensorflow", "2.16.1", "Requires-Dist: numpy>=1.20\n");
    return dir / name;
  }
  void package(const std::string& tree_name, const std::string& name, const std::string& version,
               const std::string& headers = "") const {
    fakes::dist(dir, tree_name + "/runtime/site-packages", name, version, headers);
  }
  // The incident: TensorFlow 2.8.0 beside numpy 1.19.5.
  Path broken_tree(const std::string& name) const {
    Path made = tree(name, "broken");
    std::filesystem::remove_all(made / "runtime/site-packages");
    package(name, "numpy", "1.19.5");
    package(name, "tensorflow", "2.8.0", "Requires-Dist: numpy>=1.20\n");
    return made;
  }

  static BundleFile bundle(const Path& tree, const std::string& version, std::int64_t release) {
    BundleFile bundle;
    bundle.name = "line-audio";
    bundle.version = version;
    bundle.release = release;
    bundle.vendor = "machines.example";
    bundle.hardware = {"ipc-press", "ipc-robot"};
    bundle.tree = tree;
    return bundle;
  }
  static trust::Waiver waiver(const std::string& subject) {
    return {"dep-version", subject, "A. Person", *parse_utc("2027-01-01T00:00:00Z"), "tried"};
  }

  Result<Packed> pack_bundle(const BundleFile& bundle, const std::string& out,
                             const std::vector<Path>& bases = {}) {
    TRY_ASSIGN(Audited audited, audit_tree(*disk, bundle, noon()));
    PackOptions options;
    options.bases = bases;
    options.delivery.effort = 1;
    return pack(*disk, bundle, audited, dir / out, options, {});
  }

  // Everything that a folder holds, as one text.
  [[nodiscard]] std::string contents(const std::string& folder) const {
    std::map<std::string, std::string> files;
    if (!std::filesystem::exists(dir / folder)) return "nothing";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / folder)) {
      std::string name = entry.path().lexically_relative(dir.path()).string();
      files[name] = entry.is_regular_file() ? dir.read(name) : "";
    }
    std::string text;
    for (const auto& [name, bytes] : files) text += name + "\n" + bytes + "\n";
    return text;
  }

  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
};

// A workplace with an empty origin, signed by one key.
class Origin : public Workplace {
 public:
  Origin() {
    trust::RootSpec spec;
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      spec.roles[role].keys = {key.public_key()};
    }
    Bytes root = *trust::sign_metadata(*trust::draft_root(spec, 1, noon()), key);
    auto made = trust::Repository(*disk, dir / "origin").create(root, {&key}, {}, noon());
    if (!made.ok()) throw std::runtime_error(made.error().describe());
  }

  Result<Published> publish_packed(const std::string& packed) {
    return publish(*disk, dir / packed, dir / "origin", {&key}, {}, noon());
  }
  // Packs and publishes one bundle of that version.
  void release(const std::string& version, std::int64_t number) {
    auto packed =
        pack_bundle(bundle(tree("tree-" + version, version), version, number), "packed-" + version);
    ASSERT_TRUE(packed.ok()) << failure(packed);
    auto published = publish_packed("packed-" + version);
    ASSERT_TRUE(published.ok()) << failure(published);
  }
  [[nodiscard]] std::string only_file(const std::string& folder) const {
    auto entry = std::filesystem::directory_iterator(dir / folder);
    return entry->path().lexically_relative(dir.path()).string();
  }
  // Changes one bit in the middle of a file.
  void flip(const std::string& name) const {
    std::string bytes = dir.read(name);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    dir.write(name, bytes);
  }

  trust::PrivateKey key = fakes::ed25519_from_seed(std::string(64, '7'));
};

}  // namespace lineside::bundler::testing
