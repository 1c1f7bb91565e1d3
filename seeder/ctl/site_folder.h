// SPDX-License-Identifier: Apache-2.0
// The operator's folder: what he knows of a site without asking anybody.
//
//     DIR/site.toml            name = "plant-7"  gateway = "10.0.0.2:7443"
//     DIR/operator.key         PKCS#8, 0600
//     DIR/1.root.json          the site root; later versions beside it
//     DIR/gateway.pem          the gateway's public key
//     DIR/vendor.root.json     the vendor's root, from a source that is not the gateway
//     DIR/vendor/              what `lineside` itself trusts of the vendor (trust::Updater)
//     DIR/documents/           the newest roster and directive that were seen: the gateway cannot
//     go back
#pragma once

#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/trust/directive.h"
#include "proto/trust/key_file.h"
#include "proto/trust/roster.h"

namespace lineside::ctl {

struct NewSite {
  std::string name;
  std::string gateway;  // "IP:port", may be empty
  trust::PublicKey gateway_key;
  std::optional<Bytes> vendor_root;       // to be trusted from the beginning
  std::optional<std::string> passphrase;  // of the operator's key; nullopt: plain
};

class SiteFolder {
 public:
  // `disk` outlives it.
  SiteFolder(Disk& disk, Path dir) : disk_(disk), dir_(std::move(dir)) {}

  // Could this site be made here? kUsage naming the wrong argument; kExists saying what is in the
  // folder and what to do. Nothing is written.
  [[nodiscard]] Result<void> check_new(const NewSite& site, UtcTime now);
  // Makes everything for a site with one operator: key, site root, roster 1. The folder appears
  // whole or not at all; the codes of check_new, and of trust::Updater::init for the vendor's root.
  Result<trust::PublicKey> create(const NewSite& site, UtcTime now);

  // kNotFound saying "run lineside site init".
  Result<void> load(UtcTime now);

  [[nodiscard]] const Path& dir() const { return dir_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& gateway() const { return gateway_; }
  [[nodiscard]] const trust::Authority& operators() const { return operators_; }
  [[nodiscard]] Result<trust::PublicKey> gateway_key() const;
  [[nodiscard]] Result<trust::PrivateKey> operator_key(const trust::PassphraseSource& ask) const;

  // The vendor's root: set once. kExists if another one is trusted.
  Result<void> trust_vendor(BytesView root);
  [[nodiscard]] Path vendor_dir() const { return dir_ / "vendor"; }

  // What is kept: verified when it was put there, and again now. nullopt: none yet, or other
  // operators signed it than the site has now.
  [[nodiscard]] Result<std::optional<trust::VerifiedRoster>> roster() const;
  [[nodiscard]] Result<std::optional<trust::VerifiedDirective>> directive() const;
  Result<void> keep_roster(BytesView envelope);
  Result<void> keep_directive(BytesView envelope);

 private:
  Result<trust::PublicKey> fill(const NewSite& site, UtcTime now);
  Result<void> write_root(const trust::PrivateKey& key, UtcTime now);
  Result<std::optional<Bytes>> document(const std::string& name) const;

  Disk& disk_;
  Path dir_;
  std::string name_;
  std::string gateway_;
  trust::Authority operators_;
};

// $LINESIDE_SITE, else ~/.config/lineside.
Path default_site_folder();

}  // namespace lineside::ctl
