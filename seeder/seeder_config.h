// SPDX-License-Identifier: Apache-2.0
// The seeder's configuration file. Relative paths are relative to the file's folder.
//
//     state       = "/var/lib/lineside-seeder"
//     site        = "plant-7"
//     site_root   = "1.root.json"          # from commissioning
//     vendor_root = "vendor.root.json"     # from commissioning
//     origin      = "https://updates.example.com/vision"   # or a folder
//     origin_ca   = "ca.pem"               # instead of the system's authorities
//     listen      = "0.0.0.0:7443"
//     key         = "gateway.key"          # default: STATE/gateway.key; made at the first start
//     poll_ms     = 2000                   # how often nodes report
//
//     [swarm]
//     listen = ["0.0.0.0:7444"]
//     announce = "10.0.0.2:7444"           # default: the address by which a node reached us
//     upload_limit = 0                     # bytes a second, 0: none
//     local_discovery = true
//
//     [wan]
//     rate = 0                             # bytes a second, 0: no limit
//     budget = 0                           # bytes a release, 0: none
//     refresh = "10m"
//     window = ["22:00-05:30"]             # local hours for deliveries; default: always
//
//     [page]                               # without it there is no page
//     listen = "10.0.0.2:8443"
//     scheme = "https"                     # default: http on loopback, where alone it may be that
//     certificate = "page.pem"             # default: one of its own, in STATE/page/
//     certificate_key = "page.key"
//     names = ["gateway.plant-7"]          # what its own is for, besides the address above
//     users = "page/users"                 # default: STATE/page/users
//     session = "12h"                      # how long a login lasts
//
//     [synthesis]
//     effort = 2                           # 1 quick … 3 slow
//     threads = 2
//     patience = "10m"                     # nodes wait this long for a smaller delivery
//
//     [store]
//     keep_bundles = 3                     # of those rolled out last, to go back without the WAN
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/config.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "seeder/wan_window.h"

namespace lineside::seeder {

struct SeederConfig {
  Path state;
  std::string site;
  Path site_root;
  Path vendor_root;
  std::string origin;
  std::optional<Path> origin_ca;
  std::string listen;
  Path key;
  std::uint32_t poll_ms = 2000;

  std::vector<std::string> swarm_listen;
  std::string swarm_announce;  // empty: see above
  std::uint64_t swarm_upload_limit = 0;
  bool swarm_local_discovery = true;

  std::uint64_t wan_rate = 0;
  std::uint64_t wan_budget = 0;
  std::chrono::seconds wan_refresh{600};
  WanWindow wan_window;

  std::string page_listen;  // empty: no page
  bool page_tls = true;
  std::optional<Path> page_certificate;
  std::optional<Path> page_certificate_key;
  std::vector<std::string> page_names;
  Path page_users;
  std::chrono::seconds page_session{43200};

  int synthesis_effort = 2;
  unsigned synthesis_threads = 2;
  std::chrono::seconds synthesis_patience{600};

  std::size_t keep_bundles = 3;
};

// kUsage with file and line, kNotFound.
Result<SeederConfig> load_config(const Disk& disk, const Path& file);

}  // namespace lineside::seeder
