// SPDX-License-Identifier: Apache-2.0
#include "node/check/verdict.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lineside::node {
namespace {

struct StatusRow {
  int status;
  const char* check;
  const char* cause;
};

// Our own statuses, as a probe exits.
constexpr std::array<StatusRow, 4> kStatuses = {{
    {10, "deps.import", "an import or dependency of the runtime failed"},
    {11, "load.model", "a model could not be loaded"},
    {12, "infer.run", "inference raised an error"},
    {13, "provider", "the required provider or device is absent"},
}};

struct SignalRow {
  int signal;
  const char* name;
  const char* check;
  const char* cause;
};

constexpr std::array<SignalRow, 7> kSignals = {{
    {4, "SIGILL", "cpu", "an instruction that this CPU does not have"},
    {6, "SIGABRT", "crash", "the runtime aborted"},
    {7, "SIGBUS", "crash", "a file or memory access failed"},
    {8, "SIGFPE", "crash", "an arithmetic fault"},
    {9, "SIGKILL", "limits", "killed"},
    {11, "SIGSEGV", "crash", "a memory fault"},
    {31, "SIGSYS", "sandbox", "a system call that the sandbox denies"},
}};

EndMeaning signal_meaning(int signal) {
  for (const SignalRow& row : kSignals) {
    if (row.signal == signal) {
      return {EndKind::kFailed, row.check, std::string(row.name) + ": " + row.cause};
    }
  }
  return {EndKind::kFailed, "crash", "ended by " + signal_name(signal)};
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kError:
      break;
  }
  return "error";
}

void CheckReport::pass(std::string id, std::string found, std::string limit) {
  checks.push_back({std::move(id), CheckStatus::kPassed, std::move(found), std::move(limit)});
}

void CheckReport::fail(std::string id, std::string found, std::string limit) {
  if (cause.empty()) {
    cause = id + ": " + found + (limit.empty() ? "" : ", limit " + limit);
  }
  verdict = Verdict::kFail;
  checks.push_back({std::move(id), CheckStatus::kFailed, std::move(found), std::move(limit)});
}

std::vector<std::string> CheckReport::ids(CheckStatus status) const {
  std::vector<std::string> found;
  for (const CheckItem& item : checks) {
    if (item.status == status) found.push_back(item.id);
  }
  return found;
}

EndMeaning meaning_of(const ProcessEnd& end) {
  if (end.timed_out) return {EndKind::kFailed, "limits", "the wall clock limit ran out"};
  if (end.out_of_memory) return {EndKind::kFailed, "mem.peak", "out of memory"};
  if (end.too_much_disk) return {EndKind::kFailed, "limits", "wrote more files than allowed"};
  if (end.too_much_output) return {EndKind::kFailed, "limits", "sent more results than allowed"};
  if (end.status == 0) return {EndKind::kGood, "protocol", ""};
  if (end.status == 75) return {EndKind::kRetry, "provider", "sensor or accelerator busy"};
  for (const StatusRow& row : kStatuses) {
    if (row.status == end.status) return {EndKind::kFailed, row.check, row.cause};
  }
  if (end.status > 128) return signal_meaning(end.status - 128);
  return {EndKind::kFailed, "unclassified",
          "the probe ended with status " + std::to_string(end.status)};
}

std::string telling_line(std::string_view tail) {
  constexpr std::size_t kLongest = 200;
  std::string_view last, import;
  while (!tail.empty()) {
    std::size_t end = std::min(tail.find('\n'), tail.size());
    std::string_view line = tail.substr(0, end);
    tail.remove_prefix(std::min(end + 1, tail.size()));
    std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) continue;
    last = line.substr(begin);
    for (std::string_view name : {"ImportError: ", "ModuleNotFoundError: "}) {
      std::size_t at = last.find(name);
      if (at != std::string_view::npos && at + name.size() < last.size()) import = last.substr(at);
    }
  }
  return std::string((import.empty() ? last : import).substr(0, kLongest));
}

std::string signal_name(int signal) {
  for (const SignalRow& row : kSignals) {
    if (row.signal == signal) return row.name;
  }
  return "signal " + std::to_string(signal);
}

}  // namespace lineside::node
