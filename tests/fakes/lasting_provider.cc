// SPDX-License-Identifier: Apache-2.0
// For tests that load OpenSSL's TPM provider or its engine for tokens: both keep a connection for
// as long as the process lives, behind pointers that LeakSanitizer does not follow. Everything else
// of ASan stays on.
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier)

extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "detect_leaks=0";
}
