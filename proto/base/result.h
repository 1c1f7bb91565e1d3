// SPDX-License-Identifier: Apache-2.0
// What can fail returns Result<T>; no exception crosses a module.
//
// An Error is a Code from one closed list and a sentence for people. It gains context on its way
// up:
//
//     return listing.error().with("listing of vision/2.0.0.json");   // "listing of …: line 3: …"
//
// The same Code travels in a device's report, so that "healthy" cannot hide a reason.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace lineside {

// Append only: the names (see code_name) are part of the report format.
enum class Code {
  kUsage,          // the caller's flags or configuration are wrong
  kMalformed,      // bytes are not of the form that their format prescribes
  kTooLarge,       // more bytes, entries or depth than the bound allows
  kBadSignature,   // fewer valid signatures of trusted keys than the threshold
  kUnknownKey,     // a key that nobody vouches for
  kExpired,        // a signed document or a certificate is past its date
  kRollback,       // older than what is already trusted
  kWrongSite,      // a document for another site
  kWrongDevice,    // a document for another device
  kWrongHardware,  // a bundle for another vendor or hardware class
  kMismatch,       // bytes differ from the signed length, hash or root
  kNotFound,       // the thing asked for does not exist
  kExists,         // the thing to be made exists already
  kDenied,         // the operating system or the peer refuses
  kNoSpace,        // the disk (or a declared allowance) is full
  kIo,             // any other failure of a file or device
  kNetwork,        // no connection, or it broke
  kHttp,           // an HTTP answer other than the one expected
  kTimeout,        // a deadline passed
  kUnsupported,    // a version, scheme or feature this build does not know
  kConflict,       // not possible in the present state
  kIncompatible,   // audit or preflight: the parts do not fit
  kCheckFailed,    // the inference check ran and failed
  kCheckError,     // the inference check could not be run: not the bundle's fault
  kGateShut,       // evidence that opens the gate is missing or invalid
  kBudget,         // a byte budget would be exceeded
  kCancelled,      // stopped on request
  kInternal,       // a broken invariant of ours
};

// Stable lower-case name, e.g. "bad-signature".
std::string_view code_name(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string what;

  // The same error, its sentence prefixed by "context: ".
  [[nodiscard]] Error with(std::string_view context) const;
  // "bad-signature: 1 of 2 signatures …", for logs and terminals.
  [[nodiscard]] std::string describe() const;
};

// A value or an Error. Never empty. Reading the wrong side is a broken invariant and aborts
// (std::bad_variant_access), so test first.
template <class T>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): `return value;` is the point.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() : state_(std::in_place_index<0>) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<std::monostate, Error> state_;
};

// Success of a function that returns nothing.
inline Result<void> ok() {
  return {};
}

}  // namespace lineside

#define LINESIDE_JOIN2(a, b) a##b
#define LINESIDE_JOIN(a, b) LINESIDE_JOIN2(a, b)

// TRY(f());              returns f's error from the enclosing function, if there is one.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define TRY(expression)                                     \
  do {                                                      \
    if (auto try_result = (expression); !try_result.ok()) { \
      return std::move(try_result).error();                 \
    }                                                       \
  } while (false)

// TRY_ASSIGN(auto x, f());   the same, else x = the value.
#define TRY_ASSIGN(target, expression) \
  TRY_ASSIGN_(LINESIDE_JOIN(try_result_, __COUNTER__), target, expression)
#define TRY_ASSIGN_(name, target, expression)     \
  auto name = (expression);                       \
  if (!name.ok()) return std::move(name).error(); \
  target = std::move(name).value()
// NOLINTEND(cppcoreguidelines-macro-usage)
