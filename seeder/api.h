// SPDX-License-Identifier: Apache-2.0
// The routes of proto/api/site_api.h over what Site and Supply know.
#pragma once

#include <cstdint>
#include <string>

#include "proto/base/disk.h"
#include "proto/http/message.h"
#include "seeder/bundle_store.h"
#include "seeder/rollout_store.h"
#include "seeder/site.h"
#include "seeder/site_root.h"
#include "seeder/supply.h"

namespace lineside::seeder {

struct ApiFolders {
  Path vendor_metadata;
  Path vendor_targets;
  Path evidence;  // of two documents of one number: DIGEST.dsse, by the SHA-256 of the envelope
};

class Api {
 public:
  // All references outlive it.
  Api(Disk& disk, ApiFolders folders, SiteRoot& root, Site& site, Supply& supply,
      BundleStore& bundles, RolloutStore& store, std::uint64_t wan_budget);

  // Any thread. 404 for an unknown path, 405 for another method, 403 for a caller of the wrong
  // class.
  http::Response handle(const http::Request& request);
  // What /v1/status answers. Any thread.
  [[nodiscard]] SiteStatus status() const { return full_status(site_.status()); }
  // The most bytes that a body may have.
  static std::uint64_t max_body(const std::string& method, const std::string& path);

 private:
  struct Route;
  static const Route kRoutes[];
  using Answer = Result<http::Response>;

  Answer enrol(const http::Request& request, const Caller& caller);
  Answer get_roster(const http::Request& request, const Caller& caller);
  Answer get_directive(const http::Request& request, const Caller& caller);
  Answer get_site_metadata(const http::Request& request, const Caller& caller);
  Answer get_vendor_metadata(const http::Request& request, const Caller& caller);
  Answer get_vendor_target(const http::Request& request, const Caller& caller);
  Answer get_attestations(const http::Request& request, const Caller& caller);
  Answer post_attestation(const http::Request& request, const Caller& caller);
  Answer get_delivery(const http::Request& request, const Caller& caller);
  Answer get_leaves(const http::Request& request, const Caller& caller);
  Answer post_report(const http::Request& request, const Caller& caller);
  Answer post_evidence(const http::Request& request, const Caller& caller);
  Answer get_status(const http::Request& request, const Caller& caller);
  Answer get_nodes(const http::Request& request, const Caller& caller);
  Answer get_pending(const http::Request& request, const Caller& caller);
  Answer get_bundles(const http::Request& request, const Caller& caller);
  Answer get_events(const http::Request& request, const Caller& caller);
  Answer get_plan(const http::Request& request, const Caller& caller);
  Answer get_rollouts(const http::Request& request, const Caller& caller);
  Answer post_site_root(const http::Request& request, const Caller& caller);
  Answer post_roster(const http::Request& request, const Caller& caller);
  Answer post_directive(const http::Request& request, const Caller& caller);
  Answer post_rollout(const http::Request& request, const Caller& caller);
  Answer post_refresh(const http::Request& request, const Caller& caller);
  Answer post_import(const http::Request& request, const Caller& caller);
  Answer post_allowance(const http::Request& request, const Caller& caller);
  Answer file(const Path& folder, const std::string& prefix, const http::Request& request) const;
  SiteStatus full_status(SiteStatus status) const;

  Disk& disk_;
  ApiFolders folders_;
  SiteRoot& root_;
  Site& site_;
  Supply& supply_;
  BundleStore& bundles_;
  RolloutStore& store_;
  std::uint64_t wan_budget_;
};

}  // namespace lineside::seeder
