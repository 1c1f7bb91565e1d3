// SPDX-License-Identifier: Apache-2.0
// The operator's folder: what he knows of a site without asking anybody.
//
//     DIR/site.toml            name = "plant-7"  gateway = "10.0.0.2:7443"  operator =
//     "operator.key" DIR/operator.key         PKCS#8, 0600; or `operator` names another file or a
//     key URI DIR/1.root.json          the site root; later versions beside it DIR/drafts/
//     documents that wait for more signatures DIR/gateway.pem          the gateway's public key
//     DIR/vendor.root.json     the vendor's root, from a source that is not the gateway
//     DIR/vendor/              what `lineside` itself trusts of the vendor (trust::Updater)
//     DIR/documents/           the newest roster and directive that were seen: the gateway cannot
//     go back
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  std::optional<std::string> passphrase;  // of a new operator's key; nullopt: plain
  // The operator's own key if he has one already, and how site.toml names it: a file or a key URI.
  const trust::PrivateKey* own = nullptr;
  std::string operator_key = "operator.key";
  std::string operator_name = "operator";
  // Whom the site root trusts beside him, by name, and how many of all must sign.
  std::vector<std::pair<std::string, trust::PublicKey>> others = {};
  unsigned threshold = 1;
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
  // Site root and roster stay in drafts/ until enough operators have signed them; kUsage for a
  // threshold that cannot be reached.
  Result<trust::PublicKey> create(const NewSite& site, UtcTime now);
  // The folder of another operator of a site that there is: `root` is the newest site root, fully
  // signed, and `site.own` one of its operators' keys. Likewise; the codes of trust::Updater::init.
  Result<trust::PublicKey> join(const NewSite& site, BytesView root, UtcTime now);

  // kNotFound saying "run lineside site init"; kConflict if the first site root waits for
  // signatures.
  Result<void> load(UtcTime now);
  // Makes that root, fully signed, the site's. kBadSignature.
  Result<void> begin(BytesView root);

  [[nodiscard]] const Path& dir() const { return dir_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& gateway() const { return gateway_; }
  [[nodiscard]] const trust::Authority& operators() const { return operators_; }
  // Version of the newest site root.
  [[nodiscard]] std::int64_t root_version() const { return root_version_; }
  [[nodiscard]] Result<trust::PublicKey> gateway_key() const;
  [[nodiscard]] Result<trust::PrivateKey> operator_key(const trust::PassphraseSource& ask) const;
  // Another gateway from now on; an empty address keeps the old one.
  Result<void> set_gateway(const trust::PublicKey& key, const std::string& address);
  // The newest site root. After load().
  [[nodiscard]] Result<Bytes> root() const;
  Result<void> keep_root(std::int64_t version, BytesView root);
  [[nodiscard]] Path draft(const std::string& name) const { return dir_ / "drafts" / name; }
  Result<void> keep_draft(const Path& draft, BytesView bytes);

  // The vendor's root: set once. kExists if another one is trusted.
  Result<void> trust_vendor(BytesView root);
  [[nodiscard]] Path vendor_dir() const { return dir_ / "vendor"; }

  // What is kept: verified when it was put there, and again now. nullopt: none yet, or other
  // operators signed it than the site has now.
  [[nodiscard]] Result<std::optional<trust::VerifiedRoster>> roster() const;
  [[nodiscard]] Result<std::optional<trust::VerifiedDirective>> directive() const;
  // The roster that is kept, if the operators of a root before the present one signed it: who else
  // could have, unless this folder was written by another? kNotFound if none is kept; kBadSignature
  // if nobody who ever was an operator of this site signed it.
  [[nodiscard]] Result<trust::VerifiedRoster> former_roster(UtcTime now) const;
  Result<void> keep_roster(BytesView envelope);
  Result<void> keep_directive(BytesView envelope);

 private:
  using Fill = std::function<Result<trust::PublicKey>(SiteFolder&)>;
  Result<trust::PublicKey> appear(const Fill& fill);
  Result<trust::PublicKey> fill(const NewSite& site, UtcTime now);
  Result<trust::PublicKey> fill_joined(const NewSite& site, BytesView root);
  Result<void> write_root(const NewSite& site, const trust::PrivateKey& key, UtcTime now);
  Result<void> write_roster(const NewSite& site, const trust::PrivateKey& key, UtcTime now);
  Result<void> write_contacts(const NewSite& site);
  Result<std::optional<Bytes>> document(const std::string& name) const;
  Result<std::vector<Bytes>> root_chain() const;

  Disk& disk_;
  Path dir_;
  std::string name_;
  std::string gateway_;
  std::string operator_;
  trust::Authority operators_;
  std::int64_t root_version_ = 0;
};

// $LINESIDE_SITE, else ~/.config/lineside.
Path default_site_folder();

}  // namespace lineside::ctl
