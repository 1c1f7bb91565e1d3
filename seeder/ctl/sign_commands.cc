// SPDX-License-Identifier: Apache-2.0
// lineside sign, lineside submit: documents that several operators sign one after another.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/trust/tuf/describe.h"
#include "seeder/ctl/commands.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

constexpr std::uint64_t kMaxDraftBytes = trust::kMaxEnvelopeBytes;

Result<Words> roster_words(Session& session, bool loaded, BytesView payload) {
  TRY_ASSIGN(trust::Roster after, trust::parse_roster(payload));
  trust::Roster before;
  if (loaded) {
    if (after.site != session.folder().name()) {
      return Error{Code::kWrongSite, fmt::format("this roster is for site {}, this folder is of {}",
                                                 after.site, session.folder().name())};
    }
    TRY_ASSIGN(auto kept, session.folder().roster());
    if (kept) before = kept->roster;
    if (kept && after.version <= before.version) {
      return Error{Code::kRollback, fmt::format("roster {} is not newer than roster {}, which is "
                                                "in force",
                                                after.version, before.version)};
    }
  }
  return describe_change(before, after);
}

// Nothing is signed that the vendor did not: his chain is followed here, not at who drafted it.
Result<Words> directive_words(Session& session, bool loaded, BytesView payload) {
  if (!loaded) {
    return Error{Code::kUsage,
                 "a directive is signed in a site's folder: it takes the vendor's "
                 "root to look at the bundle"};
  }
  TRY_ASSIGN(trust::Directive directive, trust::parse_directive(payload));
  if (directive.site != session.folder().name()) {
    return Error{Code::kWrongSite,
                 fmt::format("this directive is for site {}, this folder is of {}", directive.site,
                             session.folder().name())};
  }
  if (session.now() >= directive.expires) {
    return Error{Code::kExpired, "this directive expired at " + format_utc(directive.expires)};
  }
  TRY_ASSIGN(auto kept, session.directive());
  std::int64_t held = kept ? kept->directive.sequence : 0;
  if (directive.sequence <= held) {
    return Error{Code::kRollback,
                 fmt::format("directive {} is not newer than {}", directive.sequence, held)};
  }
  if (directive.sequence - held > kMaxUnsignedStep) {
    return Error{
        Code::kMismatch,
        fmt::format("directive {} is far above the newest, {}: it would use up the numbers",
                    directive.sequence, held)};
  }
  TRY_ASSIGN(CheckedBundle bundle, session.bundle(directive.bundle));
  if (bundle.digest != directive.manifest) {
    return Error{Code::kMismatch,
                 fmt::format("the directive names manifest {}, the vendor signed {} as {}",
                             directive.manifest.hex(), bundle.digest.hex(), directive.bundle)};
  }
  return describe(directive, bundle.manifest);
}

Result<Words> root_words(Session& session, bool loaded, BytesView bytes) {
  Bytes present;
  if (loaded) {
    TRY_ASSIGN(present, session.folder().root());
  }
  return trust::describe_change(present, bytes, trust::RootOf::kSite);
}

Result<Words> words_of(Session& session, bool loaded, const Draft& draft, BytesView bytes) {
  switch (draft.kind) {
    case DraftKind::kRoster:
      return roster_words(session, loaded, draft.payload);
    case DraftKind::kDirective:
      return directive_words(session, loaded, draft.payload);
    case DraftKind::kSiteRoot:
      return root_words(session, loaded, bytes);
  }
  return Error{Code::kInternal, "a draft of no kind"};
}

// How far it is, as far as this folder knows who has to sign.
Result<std::string> progress(Session& session, bool loaded, const Draft& draft, BytesView bytes) {
  if (draft.kind == DraftKind::kSiteRoot) {
    TRY_ASSIGN(auto own, trust::signature_state(bytes, bytes, "root"));
    if (!loaded) return trust::describe(own);
    TRY_ASSIGN(Bytes present, session.folder().root());
    TRY_ASSIGN(auto by_present, trust::signature_state(bytes, present, "root"));
    return fmt::format("{} of the present operators; {} of its own", trust::describe(by_present),
                       trust::describe(own));
  }
  if (!loaded) return std::string("signed");
  TRY_ASSIGN(trust::tuf::Root root, session.site_root());
  auto type = draft.kind == DraftKind::kRoster ? trust::kRosterType : trust::kDirectiveType;
  return trust::describe(envelope_state(bytes, type, root));
}

}  // namespace

Result<void> sign_draft(Session& session, const Path& file, const std::string& key_source) {
  Result<void> load = session.load();
  // Before the first site root is signed there is no site yet.
  if (!load.ok() && load.error().code != Code::kConflict && load.error().code != Code::kNotFound) {
    return load;
  }
  TRY_ASSIGN(Bytes bytes, session.disk().read(file, kMaxDraftBytes));
  TRY_ASSIGN(Draft draft, read_draft(bytes));
  TRY_ASSIGN(Words words, words_of(session, load.ok(), draft, bytes));
  TRY(session.confirm(words, true));
  std::optional<trust::PrivateKey> brought;
  const trust::PrivateKey* own = nullptr;
  if (key_source.empty()) {
    TRY_ASSIGN(own, session.key());
  } else {
    TRY_ASSIGN(brought, session.load_key(key_source));
    own = &*brought;
  }
  if (draft.kind == DraftKind::kSiteRoot) {
    TRY_ASSIGN(bytes, trust::sign_metadata(bytes, *own));
  } else {
    TRY_ASSIGN(bytes, trust::cosign(bytes, *own));
  }
  TRY(session.disk().replace(file, bytes));
  TRY_ASSIGN(std::string state, progress(session, load.ok(), draft, bytes));
  session.out() << (session.json() ? json{{"file", file.string()}, {"state", state}}.dump()
                                   : fmt::format("{}: {}", file.string(), state))
                << "\n";
  return ok();
}

Result<void> submit_draft(Session& session, const Path& file, bool replace) {
  TRY_ASSIGN(Bytes bytes, session.disk().read(file, kMaxDraftBytes));
  TRY_ASSIGN(Draft draft, read_draft(bytes));
  Result<void> load = session.load();
  const bool first = !load.ok() && load.error().code == Code::kConflict;
  if (!load.ok() && !first) return load;
  if (first && draft.kind != DraftKind::kSiteRoot) return load;
  std::string what = "site root";
  if (first) {
    TRY(session.folder().begin(bytes));
    what = "site root 1: copy 1.root.json to the gateway and to every node";
  } else if (draft.kind == DraftKind::kSiteRoot) {
    TRY(session.submit_root(bytes));
  } else if (draft.kind == DraftKind::kRoster) {
    what = "roster";
    TRY(session.submit_roster(bytes));
  } else {
    what = "directive";
    TRY(session.submit_directive(bytes, replace));
  }
  TRY(session.disk().remove(file));
  session.out() << (session.json() ? json{{"submitted", file.string()}}.dump()
                                   : fmt::format("submitted: {}", what))
                << "\n";
  return ok();
}

}  // namespace lineside::ctl
