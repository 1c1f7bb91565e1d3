// SPDX-License-Identifier: Apache-2.0
// Check, switch, trial and the way back; and the check of what runs between directives.
#include <utility>

#include "node/steps.h"
#include "proto/base/log.h"

namespace lineside::node {
namespace {

std::uint64_t inferences_of(const CheckReport& report) {
  std::uint64_t count = 0;
  for (const CheckItem& item : report.checks) {
    if (item.status == CheckStatus::kPassed && item.id.rfind("infer.", 0) == 0) ++count;
  }
  auto runs = report.measured.find("latency.n");
  if (runs != report.measured.end()) count += std::strtoull(runs->second.c_str(), nullptr, 10);
  return count;
}

bool of_the_disk(const Error& error) {
  return error.code == Code::kNoSpace || error.code == Code::kIo;
}

// A full disk, no sandbox: it says nothing about the tree.
bool of_the_device(const Error& error) {
  return of_the_disk(error) || error.code == Code::kCheckError;
}

Error error_of(const CheckReport& report) {
  return {report.verdict == Verdict::kError ? Code::kCheckError : Code::kCheckFailed, report.cause};
}

}  // namespace

// What the device is to blame for is tried again while there are attempts.
Outcome Steps::again_or(Event failed, const Error& error) const {
  if (!of_the_device(error) || ledger_.life().tries == 0) return Outcome::failed(failed, error);
  const Patience& patience = settings_.patience;
  return {std::nullopt, error, of_the_disk(error) ? patience.disk : patience.retry};
}

Outcome Steps::check(std::stop_token stop) {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(CheckReport report,
               run_check(life.target->tree, life.target->manifest, kPhaseStaged, std::move(stop)));
    return report.verdict == Verdict::kPass ? ok() : Result<void>(error_of(report));
  };
  auto done = work();
  if (done.ok()) return {Event::kCheckPassed, std::nullopt, {}};
  if (of_the_device(done.error())) {
    auto counted = ledger_.change([](Life& edit) { edit.tries -= edit.tries > 0 ? 1 : 0; });
    if (!counted.ok()) return {std::nullopt, counted.error(), settings_.patience.disk};
  }
  return again_or(Event::kStepFailed, done.error());
}

Outcome Steps::activate() {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(auto current, around_.slots.current());
    if (current == life.target->tree && life.before) return ok();  // the cut came after the switch
    if (life.tries == 0) return Error{Code::kConflict, "the attempts to activate are used up"};
    TRY(ledger_.change([&current](Life& edit) {
      --edit.tries;
      // Where a rollback goes is what was confirmed, whatever runs: a tree that is current without
      // being confirmed failed its trial, or was made current by an activation that was cut off.
      if (edit.confirmed) {
        edit.before = edit.confirmed->tree;
      } else if (current != edit.target->tree) {
        edit.before = current;
      }
    }));
    return around_.slots.activate(life.target->tree);
  };
  auto done = work();
  if (!done.ok()) return Outcome::failed(Event::kActivationFailed, done.error());
  return {Event::kActivated, std::nullopt, {}};
}

Outcome Steps::trial(std::stop_token stop) {
  Life life = ledger_.life();
  if (life.tries == 0) {
    return Outcome::failed(Event::kTrialFailed,
                           {Code::kCheckFailed, "the trial was begun " + std::to_string(kTries) +
                                                    " times and never ended"});
  }
  auto work = [&]() -> Result<void> {
    TRY(ledger_.change([](Life& edit) {
      --edit.tries;
      edit.inferences = 0;
    }));
    TRY(read_back(life.target->tree, stop));
    UtcTime read = now();
    TRY(ledger_.change([&](Life& edit) {
      edit.read_back = life.target->tree;
      edit.read_back_at = read;
      edit.damage.clear();
    }));
    TRY_ASSIGN(CheckReport report,
               run_check(life.target->tree, life.target->manifest, kPhaseTrial, stop));
    if (report.verdict != Verdict::kPass) return error_of(report);
    return ledger_.change([&](Life& edit) { edit.inferences = inferences_of(report); });
  };
  auto done = work();
  if (done.ok()) return {Event::kTrialPassed, std::nullopt, {}};
  if (done.error().code == Code::kCancelled) {
    // The agent was stopped, which says nothing about the tree.
    auto back = ledger_.change([&life](Life& edit) { edit.tries = life.tries; });
    if (!back.ok()) log(Level::kWarning, "trial", {{"why", back.error().describe()}});
    return {};
  }
  return again_or(Event::kTrialFailed, done.error());
}

Outcome Steps::confirm() {
  Life life = ledger_.life();
  auto work = [&]() -> Result<void> {
    if (life.target) TRY(around_.slots.mark_good(life.target->tree));
    return tidy(true);
  };
  auto done = work();
  if (!done.ok()) log(Level::kWarning, "after confirmation", {{"why", done.error().describe()}});
  return {};
}

// Firmware, runtime and models go back together: they are one tree.
Outcome Steps::roll_back() {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(auto current, around_.slots.current());
    bool switched = life.target && current == life.target->tree && life.before != current;
    if (switched) {
      TRY(around_.slots.activate(life.before));
      TRY(ledger_.change([](Life& edit) { edit.read_back.reset(); }));
    }
    return ok();
  };
  auto done = work();
  if (!done.ok()) return {std::nullopt, done.error(), settings_.patience.retry};
  return discard();
}

// A damaged tree may still infer: what it is said to be and what it does are two facts.
Result<void> Steps::scan_current(const trust::TreeId& current, std::stop_token stop) {
  auto whole = read_back(current, std::move(stop));
  if (!whole.ok() && whole.error().code == Code::kCancelled) return whole;
  UtcTime read = now();
  TRY(ledger_.change([&](Life& edit) {
    edit.read_back.reset();
    if (whole.ok()) edit.read_back = current;
    edit.read_back_at = read;
    edit.damage = whole.ok() ? "" : whole.error().what;
  }));
  if (!whole.ok()) log(Level::kError, "the current tree", {{"why", whole.error().describe()}});
  return ok();
}

Outcome Steps::live_check(bool scan, std::stop_token stop) {
  auto work = [&]() -> Result<void> {
    Life life = ledger_.life();
    TRY_ASSIGN(auto current, around_.slots.current());
    if (!life.confirmed) return ok();
    if (current != life.confirmed->tree) {
      return Error{Code::kMismatch, "`current` leads to " +
                                        (current ? "tree " + current->hex() : "no slot") +
                                        ", confirmed was tree " + life.confirmed->tree.hex()};
    }
    if (scan) TRY(scan_current(*current, stop));
    TRY_ASSIGN(CheckReport report, run_check(*current, life.confirmed->manifest, kPhaseLive, stop));
    bool passed = report.verdict == Verdict::kPass;
    std::string cause = report.verdict == Verdict::kError
                            ? "the check could not be run: " + report.cause
                            : report.cause;
    return ledger_.judge(passed, cause, now(), [&](Life& edit) {
      if (passed) edit.inferences += inferences_of(report);
    });
  };
  auto done = work();
  if (done.ok()) return {};
  // What cannot be checked is not known to infer.
  if (done.error().code != Code::kCancelled) {
    auto judged = ledger_.judge(false, "the check could not be run: " + done.error().describe(),
                                now(), [](Life&) {});
    if (!judged.ok()) return {std::nullopt, judged.error(), {}};
  }
  return {std::nullopt, done.error(), {}};
}

}  // namespace lineside::node
