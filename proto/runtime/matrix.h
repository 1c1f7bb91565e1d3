// SPDX-License-Identifier: Apache-2.0
// The operator's compatibility matrix: curated rules that no package's metadata carries.
//
//   [[rule]]
//   id = "R18"
//   when = "tensorflow < 2.9"
//   require = "protobuf < 3.21"
//   reason = "tensorflow#56266"
//
// `when`, `require` and `forbid` are conjunctions: terms joined by " and ", each a name and a
// specifier ("numpy >= 1.21, < 2"), or a name alone (it is there). Names are packages, "python",
// "firmware", host facts ("__glibc", "__cpu", …) and models ("model.onnx.ir", "model.onnx.opset").
// Versions compare by PEP 440; "__cpu" by its level; what is no version by == and != only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "proto/base/config.h"
#include "proto/runtime/pep440.h"

namespace lineside::runtime {

// Names to their values; a name has several when several models or copies are there.
using Facts = std::multimap<std::string, std::string, std::less<>>;

struct Term {
  std::string name;   // normalised as package names are, unless it begins with "__" or "model."
  std::string range;  // as written, without the name
  std::string text;   // the whole term
};

// One "NAME RANGE". kMalformed.
Result<Term> parse_term(std::string_view text);
// Terms joined by " and "; at least one.
Result<std::vector<Term>> parse_terms(std::string_view text);

// Does this value lie in the term's range?
bool value_fits(const Term& term, std::string_view value);

struct MatrixRule {
  std::string id;
  std::vector<Term> when;     // holds if every term fits some value
  std::vector<Term> require;  // each must be there, and fit all its values
  std::vector<Term> forbid;   // violated if every term fits some value
  std::string reason;
};

// [[rule]] tables. kUsage with the rule's id otherwise: a rule with neither require nor forbid, a
// term that is none, two rules of one id. The caller calls config.finish().
Result<std::vector<MatrixRule>> read_matrix(Config& config);

// How facts break a rule.
struct Breach {
  std::string wanted;  // "protobuf < 3.21" or "not onnxruntime >= 1.21"
  std::string found;   // "protobuf 4.21.0" or "no protobuf"
  std::string cause;   // the facts that made the rule apply: "tensorflow 2.8.0"
};
// None if the rule is kept or does not apply.
std::vector<Breach> breaches(const MatrixRule& rule, const Facts& facts);

}  // namespace lineside::runtime
