// SPDX-License-Identifier: Apache-2.0
// Versions and specifiers of Python distributions: PEP 440, as the `packaging` library (release 26)
// reads it, since that is what wrote and checks the metadata. Numbers have no upper bound.
//
// The order of versions with the same release, from low to high:
//
//   1.0.dev0 < 1.0a1.dev0 < 1.0a1 < 1.0a1.post0 < 1.0b1 < 1.0rc1 < 1.0 < 1.0+local < 1.0.post0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/result.h"

namespace lineside::runtime {

// A decimal number of any length, without leading zeros.
class Number {
 public:
  Number() = default;
  // `digits` are ASCII digits only; none means 0.
  explicit Number(std::string_view digits);
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool zero() const { return text_ == "0"; }
  bool operator==(const Number&) const = default;
  std::strong_ordering operator<=>(const Number& other) const;

 private:
  std::string text_ = "0";
};

enum class PreKind { kAlpha, kBeta, kCandidate };

struct PreRelease {
  PreKind kind = PreKind::kAlpha;
  Number number;
  auto operator<=>(const PreRelease&) const = default;
};

struct Version {
  Number epoch;
  std::vector<Number>
      release;  // at least one, trailing zeros kept: they count for "~=" and "==1.0.*"
  std::optional<PreRelease> pre;
  std::optional<Number> post;
  std::optional<Number> dev;
  std::vector<std::string> local;  // lower case, without leading zeros; empty if there is none

  // Any spelling that PEP 440 normalises ("v1.0-ALPHA.1"), white space around it allowed.
  // kMalformed otherwise.
  static Result<Version> parse(std::string_view text);

  // The normal form: "1.0a1".
  [[nodiscard]] std::string str() const;
  [[nodiscard]] bool is_prerelease() const { return pre || dev; }
  // release[i], 0 past the end.
  [[nodiscard]] const Number& part(std::size_t i) const;

  // 1.0 == 1.0.0.
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }
};

enum class SpecifierOp {
  kCompatible,
  kEqual,
  kNotEqual,
  kLessEqual,
  kGreaterEqual,
  kLess,
  kGreater,
  kArbitrary
};

struct Specifier {
  SpecifierOp op = SpecifierOp::kEqual;
  Version version;      // not for kArbitrary
  bool prefix = false;  // "==1.2.*" and "!=1.2.*"
  std::string text;     // as written, without outer white space, e.g. ">= 1.0"

  // One clause, e.g. "~=1.19.2". kMalformed otherwise.
  static Result<Specifier> parse(std::string_view text);
  // Pre-releases count as any other version. `spelling` is what the version was parsed from: "==="
  // compares text, white space included.
  [[nodiscard]] bool contains(const Version& candidate, std::string_view spelling) const;
};

// Clauses joined by commas, all of which must hold; none accepts every version.
class SpecifierSet {
 public:
  SpecifierSet() = default;
  static Result<SpecifierSet> parse(std::string_view text);
  // Pre-releases count as any other version: what is installed is installed.
  [[nodiscard]] bool contains(const Version& candidate, std::string_view spelling) const;
  [[nodiscard]] bool contains(const Version& candidate) const {
    return contains(candidate, candidate.str());
  }
  // The clauses as written, joined by ",".
  [[nodiscard]] std::string str() const;
  [[nodiscard]] const std::vector<Specifier>& clauses() const { return clauses_; }

 private:
  std::vector<Specifier> clauses_;
};

// One line "SPEC<tab>VERSION" of a filter: "true", "false", or "invalid" if either is not valid.
std::string_view pep440_line(std::string_view line);

}  // namespace lineside::runtime
