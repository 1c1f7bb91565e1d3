// SPDX-License-Identifier: Apache-2.0
// From how a probe ended to what that means. Pure.
//
//     exit status            verdict   cause
//     0 with "done"          pass      (if the comparisons pass)
//     0 without "done"       fail      protocol
//     10 / 11 / 12 / 13      fail      import / model load / inference / provider or device absent
//     75 (EX_TEMPFAIL)       retry     the sensor or accelerator is busy
//     other 1..127           fail      unclassified
//     128+n, signal n        fail      4 cpu, 6 abort, 9 memory if the kernel killed for it,
//                                      11 crash, 31 sandbox denied
//     killed by the agent    fail      limits
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"

namespace lineside::node {

enum class Verdict { kPass, kFail, kError };

std::string_view verdict_name(Verdict verdict);  // "pass", "fail", "error"

enum class CheckStatus { kPassed, kFailed, kNotRun };

// One check with what was measured and where its limit is, both in words.
struct CheckItem {
  std::string id;  // "infer.case.speech"; see node/README.md for the list
  CheckStatus status = CheckStatus::kNotRun;
  std::string measured;
  std::string limit;
};

struct CheckReport {
  Verdict verdict = Verdict::kError;
  std::string cause;  // the first failure in words; empty when passed
  std::vector<CheckItem> checks;
  std::map<std::string, std::string> measured;  // "latency.p50_us" -> "73.1"
  std::string stderr_tail;                      // at most 4 KiB, valid UTF-8
  UtcTime started{};
  UtcTime finished{};

  void pass(std::string id, std::string measured = {}, std::string limit = {});
  // Makes the verdict a failure; the first one gives the cause.
  void fail(std::string id, std::string measured, std::string limit = {});
  [[nodiscard]] std::vector<std::string> ids(CheckStatus status) const;
};

// How the sandboxed process ended.
struct ProcessEnd {
  int status = 0;                // exit status, or 128 + signal
  bool timed_out = false;        // the wall clock ran out
  bool too_much_disk = false;    // more below {out} than allowed
  bool out_of_memory = false;    // the kernel killed it for memory
  bool too_much_output = false;  // more result lines than allowed
};

enum class EndKind { kGood, kRetry, kFailed };

struct EndMeaning {
  EndKind kind = EndKind::kFailed;
  std::string check;  // the id of the check that this decides, "load.model"
  std::string cause;
};

EndMeaning meaning_of(const ProcessEnd& end);

// "SIGSEGV"; "signal 40" for those without a name here.
std::string signal_name(int signal);

// Of what a runtime wrote before it ended, the line that says most: the last that tells of a failed
// import, which names the module, even if other errors followed from it; else the last of all.
// It is shown as the runtime's words and decides nothing.
std::string telling_line(std::string_view tail);

}  // namespace lineside::node
