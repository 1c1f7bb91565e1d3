// SPDX-License-Identifier: Apache-2.0
// The operator's page: its files, its login, its JSON and its live feed, on a listener of its own,
// since a browser has no key that the roster could know.
//
//     GET  /  /assets/…                      the page                              anybody
//     POST /api/login {user, passphrase}     sets the session's cookie             anybody
//     POST /api/logout                                                             session
//     GET  /api/state  /api/feed?after=ID    see feed.h                            session
//     GET  /api/events?before=N&device=D     the log, newest first, 200 at most    session
//     GET  /api/pending  /api/bundles        as the operator's routes              session
//     GET  /api/evidence                     the directive and its attestations    session
//     GET  /api/bundle?name=NAME/V.json      what its manifest says                session
//     GET  /api/checks?device=D              its checks, oldest first, and limits  session
//     GET  /api/pieces?device=D              which pieces it has; without D: all   session
//     POST /api/rollouts/SEQ/pause | abort   withholding needs no authority        session
//
// A POST must carry "x-lineside: page": a form or link of another site cannot, and a script of
// another site would have to ask first (CORS) and is never allowed. Beginning, resuming and rolling
// back need an operator's signature and are not offered here.
#pragma once

#include <functional>
#include <string>

#include "proto/http/message.h"
#include "proto/http/rate_limit.h"
#include "seeder/bundle_store.h"
#include "seeder/page/feed.h"
#include "seeder/page/sessions.h"
#include "seeder/rollout_store.h"
#include "seeder/site.h"
#include "seeder/supply.h"

namespace lineside::seeder {

// What the page tells of. All references outlive it.
struct PageSources {
  Site& site;
  Supply& supply;
  RolloutStore& store;
  BundleStore& bundles;
  Path vendor_targets;                 // the mirror's
  std::function<SiteStatus()> status;  // the whole one, supply and WAN included
};

class Page {
 public:
  // `tls`: cookies are then for TLS only. References outlive it.
  Page(bool tls, PageSources sources, Sessions& sessions, const Disk& disk, const Clock& clock);

  static constexpr std::uint64_t kMaxBodyBytes = 8192;
  // Any thread.
  http::Response handle(const http::Request& request);

 private:
  using Answer = Result<http::Response>;
  struct Visitor {
    std::string token;
    std::string user;
  };
  struct Route;
  static const Route kRoutes[];

  [[nodiscard]] std::optional<Visitor> visitor(const http::Request& request) const;
  [[nodiscard]] std::string cookie_name() const;
  [[nodiscard]] std::string cookie(const std::string& token, std::chrono::seconds age) const;
  http::Response route(const http::Request& request);
  Answer log_in(const http::Request& request);
  Answer log_out(const http::Request& request, const Visitor& visitor);
  Answer state(const http::Request& request, const Visitor& visitor);
  Answer feed(const http::Request& request, const Visitor& visitor);
  Answer events(const http::Request& request, const Visitor& visitor);
  Answer pending(const http::Request& request, const Visitor& visitor);
  Answer bundles(const http::Request& request, const Visitor& visitor);
  Answer evidence(const http::Request& request, const Visitor& visitor);
  Answer bundle(const http::Request& request, const Visitor& visitor);
  Answer checks(const http::Request& request, const Visitor& visitor);
  Answer pieces(const http::Request& request, const Visitor& visitor);
  Answer withhold(const http::Request& request, const Visitor& visitor);

  bool tls_;
  PageSources from_;
  Sessions& sessions_;
  const Disk& disk_;
  const Clock& clock_;
  std::mutex attempts_mutex_;
  http::RateLimit attempts_;  // to log in, by address
  Feed feed_;
};

}  // namespace lineside::seeder
