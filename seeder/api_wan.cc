// SPDX-License-Identifier: Apache-2.0
// The routes of Api that are about what crosses the WAN, and what need not.
#include <limits>
#include <nlohmann/json.hpp>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"
#include "seeder/api.h"

namespace lineside::seeder {

using nlohmann::json;
using trust::Fields;

Api::Answer Api::post_import(const http::Request& request, const Caller& /*caller*/) {
  TRY_ASSIGN(json body, trust::parse_json(request.body, "import", {}));
  Fields fields(body, "import", trust::UnknownMembers::kAllowed);
  Path folder = fields.text("folder");
  std::string bundle = fields.optional_text("bundle").value_or("");
  if (!folder.is_absolute()) fields.fail("folder", "expected an absolute path");
  TRY(fields.finish());
  TRY(supply_.import(folder, bundle));
  return http::json_response(200, R"({"status":"imported"})");
}

Api::Answer Api::post_allowance(const http::Request& request, const Caller& caller) {
  TRY_ASSIGN(json body, trust::parse_json(request.body, "allowance", {}));
  Fields fields(body, "allowance", trust::UnknownMembers::kAllowed);
  std::string bundle = fields.text("bundle");
  std::int64_t bytes = fields.integer("bytes", 1, std::int64_t{1} << 50);
  TRY(fields.finish());
  TRY(supply_.allow(bundle, static_cast<std::uint64_t>(bytes), caller.actor()));
  return http::json_response(201, R"({"status":"allowed"})");
}

}  // namespace lineside::seeder
