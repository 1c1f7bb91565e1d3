// SPDX-License-Identifier: Apache-2.0
// A whole gateway in this process, over real TLS, with its vendor and its operator's folder.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include "proto/trust/key_file.h"
#include "seeder/ctl/commands.h"
#include "seeder/seeder.h"
#include "tests/seeder/party.h"

namespace lineside::seeder {

class LocalGateway {
 public:
  virtual ~LocalGateway() = default;

  [[nodiscard]] virtual SeederConfig config() const {
    SeederConfig made;
    made.state = dir / "state";
    made.site = "plant-7";
    made.site_root = dir / "site/1.root.json";
    made.vendor_root = dir / "vendor.root.json";
    made.origin = vendor.folder().string();
    made.listen = listen;
    made.key = dir / "gateway.key";
    made.poll_ms = 100;
    made.swarm_listen = {"127.0.0.1:0"};
    made.swarm_local_discovery = false;
    made.synthesis_effort = 1;
    return made;
  }
  // What commissioning makes: the gateway's key and the operator's folder.
  void found() {
    dir.write("vendor.root.json", std::string(as_text(vendor.root)));
    trust::PrivateKey key = must(gateway_key(*disk, config()));
    dir.write("gateway.pem", key.public_key().pem());
    ctl::Session run(*disk, clock, options(), out, notes);
    must(ctl::site_init(*disk, run, {"plant-7", "", dir / "gateway.pem", {}, true}));
  }
  void start() {
    gateway.reset();
    gateway = must(Seeder::start(config(), *disk, clock));
  }

  [[nodiscard]] ctl::SessionOptions options() const {
    ctl::SessionOptions made;
    made.site = dir / "site";
    made.json = true;
    made.yes = true;
    if (gateway) made.gateway = gateway->endpoint();
    return made;
  }
  // A fresh run of `lineside`.
  ctl::Session session() {
    out.str("");
    ctl::Session made(*disk, clock, options(), out, notes);
    must(made.load());
    return made;
  }
  Party party(trust::PrivateKey key) {
    return {gateway->endpoint(), gateway->public_key(), std::move(key)};
  }
  trust::PrivateKey operator_key() {
    return must(trust::load_key(*disk, dir / "site/operator.key", {}));
  }
  Party operator_party() { return party(operator_key()); }

  VendorOrigin vendor;
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  SystemClock clock;
  std::string listen = "127.0.0.1:0";
  std::unique_ptr<Seeder> gateway;
  std::ostringstream out, notes;
};

}  // namespace lineside::seeder
