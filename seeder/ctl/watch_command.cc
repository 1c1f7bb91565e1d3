// SPDX-License-Identifier: Apache-2.0
// Follows a site, over a gateway that comes and goes.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <thread>

#include "seeder/ctl/commands.h"
#include "seeder/ctl/terminal.h"
#include "seeder/ctl/view_text.h"

namespace lineside::ctl {
namespace {

class Watcher {
 public:
  Watcher(Session& session, const Watch& options)
      : session_(session), options_(options), picture_(session.out()) {}

  void show(seeder::SiteStatus now) {
    if (silent_since_) {
      tell(fmt::format("{} the gateway answers again", format_utc(session_.now())));
      silent_since_.reset();
    }
    if (session_.json()) {
      session_.out() << to_json(now).dump() << std::endl;
    } else if (options_.live) {
      picture_.draw(status_view(now, terminal_options()));
    } else {
      for (const std::string& line : changes(last_, now)) session_.out() << line << std::endl;
    }
    last_ = std::move(now);
  }

  // Said once, and on a live picture as long as it lasts: what stands there is old.
  void no_answer(const Error& error) {
    bool is_new = !silent_since_;
    if (is_new) silent_since_ = session_.now();
    std::string words = fmt::format("{} the gateway does not answer: {}; asking on",
                                    format_utc(*silent_since_), safe(error.what));
    if (options_.live && !session_.json()) {
      ViewOptions view = terminal_options();
      std::string old = last_.site.empty() ? "" : status_view(last_, view) + "\n";
      picture_.draw(old + cut_lines(words, view.width) + "\n");
    } else if (is_new) {
      tell(words);
    }
  }

 private:
  void tell(const std::string& words) {
    if (!options_.live || session_.json()) session_.notes() << words << std::endl;
  }

  Session& session_;
  const Watch& options_;
  Picture picture_;
  seeder::SiteStatus last_;
  std::optional<UtcTime> silent_since_;
};

bool passing(const Error& error) {
  return error.code == Code::kNetwork || error.code == Code::kTimeout;
}

}  // namespace

Result<void> watch(Session& session, const Watch& options) {
  Watcher watcher(session, options);
  while (true) {
    Result<seeder::SiteStatus> now = session.status();
    if (!now.ok() && !passing(now.error())) return now.error();
    if (!now.ok()) {
      watcher.no_answer(now.error());
    } else {
      watcher.show(*now);
      if (options.until_end && !now->rollout) {
        return Error{Code::kConflict, "nothing was rolled out yet"};
      }
      if (options.until_end && at_rest(*now->rollout)) {
        if (std::string fault = rollout_fault(*now->rollout); !fault.empty()) {
          session.call_attention(std::move(fault));
        }
        call_attention(session, *now);
        return ok();
      }
    }
    std::this_thread::sleep_for(options.every);
  }
}

}  // namespace lineside::ctl
