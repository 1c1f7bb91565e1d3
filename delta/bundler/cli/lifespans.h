// SPDX-License-Identifier: Apache-2.0
// The flags that say how long signed metadata is valid.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>

#include "proto/trust/tuf/repository.h"

namespace lineside::bundler::cli {

struct Lifespans {
  int root_days = 365;
  int targets_days = 365;
  int timestamp_days = 30;

  void add_to(CLI::App* app) {
    app->add_option("--targets-days", targets_days, "how long targets are valid")
        ->check(CLI::Range(1, 3650));
    app->add_option("--timestamp-days", timestamp_days,
                    "how long snapshot and timestamp are valid: the longest time for which a site "
                    "may be cut off and still install")
        ->check(CLI::Range(1, 3650));
  }
  [[nodiscard]] trust::Lifetimes lifetimes() const {
    trust::Lifetimes result;
    result.targets = std::chrono::days(targets_days);
    result.snapshot = result.timestamp = std::chrono::days(timestamp_days);
    return result;
  }
};

}  // namespace lineside::bundler::cli
