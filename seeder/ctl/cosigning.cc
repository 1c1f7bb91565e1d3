// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/cosigning.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proto/trust/document.h"
#include "proto/trust/json.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

Result<Draft> read_envelope(const json& tree) {
  auto type = tree.find("payloadType");
  auto payload = tree.find("payload");
  if (!type->is_string() || payload == tree.end() || !payload->is_string()) {
    return Error{Code::kMalformed, "draft: expected payloadType and payload as strings"};
  }
  const auto& name = type->get_ref<const std::string&>();
  Draft draft;
  if (name == trust::kDirectiveType) {
    draft.kind = DraftKind::kDirective;
  } else if (name != trust::kRosterType) {
    return Error{Code::kUnsupported, "draft: an operator signs no " + trust::clean_text(name, 80)};
  }
  TRY_ASSIGN(draft.payload, from_base64(payload->get_ref<const std::string&>()));
  return draft;
}

}  // namespace

Result<Draft> read_draft(BytesView bytes) {
  trust::JsonLimits limits;
  limits.max_bytes = trust::kMaxEnvelopeBytes;
  TRY_ASSIGN(json tree, trust::parse_json(bytes, "draft", limits));
  if (tree.is_object() && tree.contains("payloadType")) return read_envelope(tree);
  if (tree.is_object() && tree.contains("signed")) {
    TRY(trust::tuf::parse_root(bytes));
    return Draft{DraftKind::kSiteRoot, {}};
  }
  return Error{Code::kUnsupported, "draft: neither a roster nor a directive nor a site root"};
}

trust::SignatureState envelope_state(BytesView envelope, std::string_view type,
                                     const trust::tuf::Root& root) {
  const trust::tuf::RoleKeyIds& operators = root.roles.find("targets")->second;
  trust::SignatureState state;
  state.need = operators.threshold;
  for (const std::string& keyid : operators.keyids) {
    auto key = root.keys.find(keyid);
    if (key == root.keys.end()) continue;
    if (trust::open(envelope, type, {{key->second}, 1}).ok()) {
      ++state.have;
    } else {
      state.missing.push_back(keyid);
      state.missing_names.push_back(trust::tuf::name_of(root, keyid));
    }
  }
  return state;
}

std::string describe(const Signed& document) {
  if (document.at_gateway) return document.what + " is signed and at the gateway";
  std::string file = document.draft.string();
  std::string words =
      fmt::format("{} waits in {}: {}", document.what, file, trust::describe(document.state));
  if (document.state.complete()) return words + fmt::format("; next: lineside submit {}", file);
  return words + fmt::format("; next: another operator runs `lineside sign {}`", file);
}

}  // namespace lineside::ctl
