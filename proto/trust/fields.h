// SPDX-License-Identifier: Apache-2.0
// Reads the members of a parsed JSON object into values, for all documents alike.
//
//     Fields fields(json, "directive");
//     directive.site = fields.text("site");
//     directive.sequence = fields.integer("sequence", 1, kMaxInteger);
//     for (Fields& device : fields.list("devices")) ids.push_back(device.text("id"));
//     TRY(fields.finish());
//
// The first error is kept and returned by finish(), naming the member: "directive.devices[3].id:
// expected a string". After it the getters return empty values, so that a reader needs one TRY.
// finish() of the outermost object covers everything below it. Error code: kMalformed.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::trust {

inline constexpr std::int64_t kMaxInteger = std::numeric_limits<std::int64_t>::max();

// What finish() says of members that nobody asked for. kAllowed only where a specification demands
// it (TUF, DSSE, in-toto): in our own documents an unknown member may be a condition that we would
// miss.
enum class UnknownMembers { kRefused, kAllowed };

// Cheap to copy; copies share the first error. The json value outlives it. One thread.
class Fields {
 public:
  // `name` begins every error message. A value that is no object is an error that finish() returns.
  Fields(const nlohmann::json& object, std::string name,
         UnknownMembers unknown = UnknownMembers::kRefused);

  [[nodiscard]] bool has(std::string_view name) const;

  std::string text(std::string_view name);
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  bool boolean(std::string_view name);
  Digest digest(std::string_view name);  // 64 lower-case hexadecimal digits
  UtcTime utc(std::string_view name);    // parse_utc's form
  std::vector<std::string> texts(std::string_view name);
  std::map<std::string, std::string> text_map(std::string_view name);
  std::map<std::string, std::int64_t> integer_map(std::string_view name);
  Fields object(std::string_view name);             // inherits the rule on unknown members
  std::vector<Fields> list(std::string_view name);  // of objects
  // Every member of the object `name`, each an object itself: {"a":{…},"b":{…}}.
  std::map<std::string, Fields> object_map(std::string_view name);
  // Any value, unread: a TUF key, say. null if it is absent (an error).
  const nlohmann::json& raw(std::string_view name);

  // The same for members that may be absent; of a wrong type they are an error all the same.
  std::optional<std::string> optional_text(std::string_view name);
  std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min,
                                               std::int64_t max);
  std::optional<bool> optional_boolean(std::string_view name);
  std::optional<Digest> optional_digest(std::string_view name);
  std::optional<UtcTime> optional_utc(std::string_view name);
  std::optional<Fields> optional_object(std::string_view name);

  // Accepts a member without reading it.
  void ignore(std::string_view name);
  // An error of the caller's own about a member: fail("result", "expected PASSED or FAILED").
  void fail(std::string_view name, std::string_view expected);
  // "directive.devices[3]", for errors of the caller's.
  [[nodiscard]] const std::string& path() const;

  // The first error, or the first member that nobody asked for if those are refused.
  [[nodiscard]] Result<void> finish() const;

 private:
  struct Node;
  explicit Fields(std::shared_ptr<Node> node);
  Fields child(const nlohmann::json& value, std::string path);
  const nlohmann::json* member(std::string_view name, bool required);
  void fail_path(const std::string& path, std::string_view expected);
  std::shared_ptr<Node> node_;
};

}  // namespace lineside::trust
