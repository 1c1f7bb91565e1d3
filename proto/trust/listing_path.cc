// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include "proto/trust/listing.h"
#include "proto/trust/utf8.h"

namespace lineside::trust {
namespace {

constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxName = 255;
constexpr std::string_view kFirmware = "firmware/";

// What paths and link targets share. Control characters (C0, DEL, C1) would let a name rewrite the
// terminal or the log line that shows it; a backslash is a separator elsewhere.
Result<void> check_characters(std::string_view text) {
  if (text.empty()) return Error{Code::kMalformed, "is empty"};
  if (text.size() > kMaxPath) {
    return Error{Code::kMalformed, "has " + std::to_string(text.size()) + " bytes, at most " +
                                       std::to_string(kMaxPath) + " are allowed"};
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    std::uint32_t point = 0;
    if (!take_code_point(rest, point)) return Error{Code::kMalformed, "is not UTF-8"};
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) {
      return Error{Code::kMalformed, "has a control character"};
    }
    if (point == '\\') return Error{Code::kMalformed, "has a backslash"};
  }
  return ok();
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) {
    return Error{Code::kMalformed, "has an empty name: it starts or ends with '/' or has '//'"};
  }
  if (name == "." || name == "..") {
    return Error{Code::kMalformed, "has the name \"" + std::string(name) + "\""};
  }
  if (name.size() > kMaxName) {
    return Error{Code::kMalformed, "has a name of " + std::to_string(name.size()) +
                                       " bytes, at most " + std::to_string(kMaxName) +
                                       " are allowed"};
  }
  return ok();
}

// Takes the text before the next '/' off `rest`; `more` says whether there was a '/'.
std::string_view take_name(std::string_view& rest, bool& more) {
  std::size_t slash = rest.find('/');
  more = slash != std::string_view::npos;
  std::string_view name = rest.substr(0, slash);
  rest.remove_prefix(more ? slash + 1 : rest.size());
  return name;
}

// Where a relative target leads, by its text alone.
struct Walk {
  std::vector<std::string_view> names;  // from the root of the tree
  bool escapes = false;
  bool climbs_late = false;  // ".." after a name
};

Walk walk(std::string_view path, std::string_view target) {
  Walk result;
  bool more = true;
  while (more) result.names.push_back(take_name(path, more));
  result.names.pop_back();  // the link itself; its folder remains
  bool named = false;
  for (more = true; more;) {
    std::string_view name = take_name(target, more);
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      named = true;
      result.names.push_back(name);
      continue;
    }
    result.climbs_late = result.climbs_late || named;
    if (result.names.empty()) {
      result.escapes = true;
      return result;
    }
    result.names.pop_back();
  }
  return result;
}

}  // namespace

Result<void> check_path(std::string_view path) {
  if (auto good = check_characters(path); !good.ok()) return good.error().with("path");
  bool more = true;
  while (more) {
    if (auto good = check_name(take_name(path, more)); !good.ok()) {
      return good.error().with("path");
    }
  }
  return ok();
}

// The text of a target says where it leads only as long as ".." never follows a name: "up/../.."
// leaves the tree if `up` is itself a link to the root. With leading ".." only, which climb real
// folders (a listing has every parent as a directory), each link of a chain stays inside by
// induction. Links under firmware/ may be absolute and are followed by nobody, hence nothing
// outside may lead in there.
Result<void> check_link(std::string_view path, std::string_view target) {
  if (auto good = check_characters(target); !good.ok()) return good.error().with("link target");
  bool in_firmware = path.starts_with(kFirmware);
  if (target.front() == '/') {
    if (in_firmware) return ok();
    return Error{Code::kMalformed, "link target is absolute, allowed only below firmware/"};
  }
  Walk led = walk(path, target);
  if (led.escapes) return Error{Code::kMalformed, "link target leaves the tree"};
  if (in_firmware) return ok();
  if (led.climbs_late) return Error{Code::kMalformed, "link target has \"..\" after a name"};
  if (!led.names.empty() && led.names.front() == kFirmware.substr(0, kFirmware.size() - 1)) {
    return Error{Code::kMalformed, "link target leads from outside into firmware/"};
  }
  return ok();
}

}  // namespace lineside::trust
