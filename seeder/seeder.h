// SPDX-License-Identifier: Apache-2.0
// The site gateway, wired together.
#pragma once

#include <memory>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/keys.h"
#include "seeder/seeder_config.h"

namespace lineside::seeder {

// The gateway's key: `config.key`, made at the first call.
Result<trust::PrivateKey> gateway_key(Disk& disk, const SeederConfig& config);

class Seeder {
 public:
  // Everything runs when it returns. kUsage for bad configuration, kConflict naming the address or
  // the state folder that is in use, and what the parts return. `disk` and `clock` outlive it.
  static Result<std::unique_ptr<Seeder>> start(const SeederConfig& config, Disk& disk,
                                               Clock& clock);
  ~Seeder();  // stops; nothing that was answered is lost

  // Where the API listens, "IP:port".
  [[nodiscard]] std::string endpoint() const;
  // Where the page listens; empty if it is not configured.
  [[nodiscard]] std::string page_endpoint() const;
  [[nodiscard]] const trust::PublicKey& public_key() const;

 private:
  struct Parts;
  explicit Seeder(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lineside::seeder
