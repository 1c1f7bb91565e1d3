// SPDX-License-Identifier: Apache-2.0
// What the commands share: the operator's folder, the gateway, the vendor's chain, the terminal.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/trust/manifest.h"
#include "seeder/ctl/cosigning.h"
#include "seeder/ctl/gateway.h"
#include "seeder/ctl/site_folder.h"
#include "seeder/operator_api.h"

namespace lineside::ctl {

struct SessionOptions {
  Path site;
  std::string gateway;  // instead of the one in the folder
  bool json = false;
  bool yes = false;  // sign without asking
};

struct CheckedBundle {
  trust::Manifest manifest;
  Digest digest;
  seeder::PlanView plan;  // says the gateway: no authority
};

// One run of the program. Results go to `out`, questions and notes to `notes`.
class Session {
 public:
  Session(Disk& disk, Clock& clock, SessionOptions options, std::ostream& out, std::ostream& notes);

  Result<void> load();
  SiteFolder& folder() { return folder_; }
  [[nodiscard]] UtcTime now() const { return clock_.now(); }
  [[nodiscard]] bool json() const { return options_.json; }
  // What somebody has to look at although the command was done: kExitAttention. The first counts.
  void call_attention(std::string to) {
    if (!attention_) attention_ = std::move(to);
  }
  [[nodiscard]] const std::optional<std::string>& attention() const { return attention_; }
  std::ostream& out() { return out_; }
  std::ostream& notes() { return notes_; }
  Disk& disk() { return disk_; }
  // `--vendor-root FILE`: remembered in the folder.
  Result<void> trust_vendor(const Path& root);

  Result<Gateway*> gateway();
  Result<seeder::SiteStatus> status(std::int64_t sequence = 0);
  // The newest roster, verified here. kRollback if the gateway shows an older one than was seen
  // before. A gateway without any is given the one from the folder.
  Result<trust::VerifiedRoster> roster();
  // Likewise; nullopt if there was never one.
  Result<std::optional<trust::VerifiedDirective>> directive();
  // Follows the vendor's chain over the gateway's mirror, with the vendor root from the folder.
  Result<CheckedBundle> bundle(const std::string& name);

  // Shows `words`, signs, posts and keeps; a document that more operators must sign becomes a draft
  // instead. Asks first if `ask`: not where the operator has named what he signs already, by a
  // fingerprint. kCancelled if he says no; kUsage without a terminal and without --yes.
  Result<Signed> sign_roster(const trust::Roster& roster, const std::vector<std::string>& words,
                             bool ask);
  // kConflict, before anything is signed, if a rollout is running and `replace` is not set.
  Result<Signed> sign_directive(const trust::Directive& directive,
                                const std::vector<std::string>& words, bool replace);
  // Posts and keeps what is fully signed. kBadSignature if it is not, and as above.
  Result<void> submit_roster(BytesView envelope);
  Result<void> submit_directive(BytesView envelope, bool replace);
  // The next site root to gateway and folder. kConflict if the roster that is in force would not
  // hold under it; the codes of the TUF root chain.
  Result<void> submit_root(BytesView root);

  Result<void> confirm(const std::vector<std::string>& words, bool ask);
  Result<const trust::PrivateKey*> key();
  // A key from a file or a token, its passphrase or PIN asked for.
  Result<trust::PrivateKey> load_key(const std::string& source);
  // Who the operators are, by name.
  [[nodiscard]] Result<trust::tuf::Root> site_root() const;

 private:
  Result<void> check_running(bool replace);
  Result<void> hand_over(const std::string& target, const std::string& shown_at,
                         BytesView envelope);
  Result<Signed> keep_draft(std::string what, const std::string& file, BytesView envelope,
                            std::string_view type);

  Disk& disk_;
  Clock& clock_;
  SessionOptions options_;
  std::ostream& out_;
  std::ostream& notes_;
  SiteFolder folder_;
  std::optional<trust::PrivateKey> key_;
  std::optional<Gateway> gateway_;
  std::optional<std::string> attention_;
};

// "vision/2.0.0" and "vision/2.0.0.json" are the same bundle.
std::string bundle_name(std::string name);

}  // namespace lineside::ctl
