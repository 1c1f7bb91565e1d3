// SPDX-License-Identifier: Apache-2.0
// A vendor with a real TUF repository and real deliveries in a folder.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "delta/make_delivery.h"
#include "delta/scan.h"
#include "proto/base/clock.h"
#include "proto/trust/manifest.h"
#include "proto/trust/tuf/repository.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::seeder {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().describe());
  return std::move(result).value();
}
inline void must(const Result<void>& result) {
  if (!result.ok()) throw std::runtime_error(result.error().describe());
}

class VendorOrigin {
 public:
  VendorOrigin() {
    trust::RootSpec spec;
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      spec.roles[role] = {{key_.public_key()}, 1};
    }
    UtcTime now = SystemClock().now();
    root = must(trust::sign_metadata(must(trust::draft_root(spec, 1, now)), key_));
    must(disk_->make_dirs(folder()));
    must(repository_.create(root, {&key_}, {}, now));
    must(disk_->make_dirs(folder() / "deliveries"));
  }

  [[nodiscard]] Path folder() const { return dir_ / "origin"; }

  // Publishes vision/VERSION with these files, a full delivery and one from each base version.
  trust::Manifest publish(const std::string& version, std::int64_t release,
                          const std::map<std::string, std::string>& files,
                          const std::vector<std::string>& bases = {}) {
    for (const auto& [path, content] : files) dir_.write("trees/" + version + "/" + path, content);
    trust::Listing listing = must(delta::scan_tree(*disk_, tree_dir(version), 1));
    Bytes listing_bytes = trust::serialise(listing);
    trust::Manifest manifest;
    manifest.name = "vision";
    manifest.version = version;
    manifest.release = release;
    manifest.vendor = "acme.example";
    manifest.hardware = {"ipc-x86", "jetson"};
    manifest.listing_length = listing_bytes.size();
    manifest.tree = sha256(listing_bytes);
    manifest.tree_length = listing.total_length();
    manifest.firmware_version = version;
    manifest.check = sha256(as_bytes("probe"));
    manifest.golden = sha256(as_bytes("golden"));
    manifest.required_tests = {"infer"};
    manifest.deliveries.push_back(deliver(std::nullopt, version));
    for (const std::string& base : bases) manifest.deliveries.push_back(deliver(base, version));
    must(repository_.publish({{manifest.target_name(), trust::serialise(manifest)},
                              {manifest.listing_name(), listing_bytes}},
                             {&key_}, {}, SystemClock().now()));
    return manifest;
  }

  Bytes root;

 private:
  [[nodiscard]] Path tree_dir(const std::string& version) const {
    return dir_.path() / "trees" / version;
  }

  trust::Delivery deliver(const std::optional<std::string>& base, const std::string& version) {
    auto tree = [&](const std::string& name) {
      return delta::TreeOnDisk{tree_dir(name), must(delta::scan_tree(*disk_, tree_dir(name), 1))};
    };
    std::optional<delta::TreeOnDisk> from;
    if (base) from = tree(*base);
    delta::TreeOnDisk to = tree(version);
    Path out = dir_ / "delivery";
    must(disk_->remove(out));
    delta::MakeOptions options;
    options.effort = 1;
    auto made = must(delta::make_delivery(options, *disk_, from, to, out));
    must(disk_->rename(out, folder() / "deliveries" / made.root.hex()));
    return {from ? trust::tree_id(from->listing) : sha256({}), trust::tree_id(to.listing),
            made.length, made.root};
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  trust::PrivateKey key_ = must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  trust::Repository repository_{*disk_, dir_ / "origin"};
};

// Incompressible text, so that deliveries have a size worth cutting.
inline std::string noise(std::size_t size, std::uint32_t seed) {
  std::string out(size, '\0');
  for (char& c : out) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>(seed >> 24);
  }
  return out;
}

}  // namespace lineside::seeder
