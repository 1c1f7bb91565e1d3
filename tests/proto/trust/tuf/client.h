// SPDX-License-Identifier: Apache-2.0
// A vendor and a client with a folder of its own: what the TUF tests begin with.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/trust/tuf/updater.h"
#include "tests/fakes/temp_dir.h"
#include "tests/fakes/tuf_vendor.h"

namespace lineside::trust::tuf {

class Client : public testing::Test {
 protected:
  Client() { trust(vendor_.served("root")); }

  void trust(const std::string& root) {
    EXPECT_TRUE(disk_->remove_tree(dir()).ok());
    auto done = Updater::init(*disk_, dir(), as_bytes(root));
    EXPECT_TRUE(done.ok()) << done.error().describe();
  }
  [[nodiscard]] Path dir() const { return temp_.path() / "metadata"; }
  Updater updater() { return {*disk_, dir(), vendor_, now_}; }

  // A whole run of a program: load and refresh. The code of the failure, or nothing.
  std::optional<Code> refresh() {
    vendor_.requests.clear();
    Updater client(*disk_, dir(), vendor_, now_);
    auto result = client.load();
    if (result.ok()) result = client.refresh();
    if (result.ok()) return std::nullopt;
    why_ = result.error().what;
    return result.error().code;
  }
  // A whole run that ends with the content of a target; "CODE" if it fails, "" if nobody names it.
  std::string download(const std::string& name) {
    vendor_.requests.clear();
    Updater client(*disk_, dir(), vendor_, now_);
    auto result = client.load();
    if (result.ok()) result = client.refresh();
    if (!result.ok()) return std::string(code_name(result.error().code));
    auto target = client.find(name);
    if (!target.ok()) return std::string(code_name(target.error().code));
    if (!*target) return "";
    auto content = client.download(**target, vendor_);
    return content.ok() ? std::string(as_text(*content))
                        : std::string(code_name(content.error().code));
  }
  // What the client has stored; 0 for nothing.
  std::int64_t stored(const std::string& role) {
    std::string text = temp_.read("metadata/" + role + ".json");
    return text.empty() ? 0 : nlohmann::json::parse(text)["signed"]["version"].get<std::int64_t>();
  }
  void expect_stored(std::int64_t root, std::int64_t timestamp, std::int64_t snapshot,
                     std::int64_t targets) {
    EXPECT_EQ(stored("root"), root);
    EXPECT_EQ(stored("timestamp"), timestamp);
    EXPECT_EQ(stored("snapshot"), snapshot);
    EXPECT_EQ(stored("targets"), targets);
  }

  fakes::TempDir temp_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  fakes::TufVendor vendor_;
  UtcTime now_ = fakes::TufVendor::now();
  std::string why_;
};

inline const std::vector<std::string> kAllButRoot = {"targets", "snapshot", "timestamp"};

}  // namespace lineside::trust::tuf
