// SPDX-License-Identifier: Apache-2.0
// Documents that several operators sign one after another: what a draft is, and how far it is.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "proto/base/disk.h"
#include "proto/trust/dsse.h"
#include "proto/trust/tuf/metadata.h"
#include "proto/trust/tuf/repository.h"

namespace lineside::ctl {

enum class DraftKind { kRoster, kDirective, kSiteRoot };

struct Draft {
  DraftKind kind = DraftKind::kRoster;
  Bytes payload;  // of an envelope: what one more signature covers, read once
};
// kMalformed, kUnsupported for what is neither a roster nor a directive nor a root. Nothing is
// verified: whoever signs looks at the payload first.
Result<Draft> read_draft(BytesView bytes);

// How far the operators of `root` have signed an envelope. kMalformed.
trust::SignatureState envelope_state(BytesView envelope, std::string_view type,
                                     const trust::tuf::Root& root);

// What became of a document that was signed here.
struct Signed {
  std::string what;  // "roster 5"
  bool at_gateway = false;
  Path draft;  // else where it waits
  trust::SignatureState state;
};
std::string describe(const Signed& document);

}  // namespace lineside::ctl
