// SPDX-License-Identifier: Apache-2.0
// Requirement lines of Python metadata (PEP 508), e.g.
//
//   numpy>=1.20; python_version < "3.11"
//   requests[security,socks] (>=2.8.1,==2.8.*)        the parentheses of old metadata
//   pip @ https://example.org/pip.whl ; sys_platform == "linux"
//
// and the evaluation of their markers. Agrees with `packaging` 26.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/result.h"
#include "proto/runtime/pep440.h"

namespace lineside::runtime {

// The variables of markers. A marker with a variable that is not here is kUnsupported.
using Environment = std::map<std::string, std::string, std::less<>>;

// CPython on Linux. `python` is "3.11" or "3.11.2", `machine` as uname says it ("x86_64"). `extra`
// is "".
Environment linux_environment(std::string_view python, std::string_view machine);

// A condition such as: python_version < "3.8" and (extra == "tests" or os_name == "posix").
// An immutable value, cheap to copy.
class Marker {
 public:
  // kMalformed; kTooLarge for more than 64 nested parentheses.
  static Result<Marker> parse(std::string_view text);
  // kUnsupported for a comparison or variable without a meaning.
  [[nodiscard]] Result<bool> holds(const Environment& environment) const;

  struct Node;

 private:
  explicit Marker(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

struct Requirement {
  std::string name;                 // as written
  std::vector<std::string> extras;  // as written
  SpecifierSet specifiers;
  std::string url;  // empty unless "name @ url"
  std::optional<Marker> marker;
  std::string text;  // the whole line, trimmed

  // kMalformed for anything else; kTooLarge for a line over 16 KiB.
  static Result<Requirement> parse(std::string_view line);
  // True without a marker.
  [[nodiscard]] Result<bool> applies(const Environment& environment) const;
};

}  // namespace lineside::runtime
