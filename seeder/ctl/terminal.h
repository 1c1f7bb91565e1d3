// SPDX-License-Identifier: Apache-2.0
// How the operator's terminal is written to.
#pragma once

#include <ostream>
#include <string>

#include "seeder/ctl/session.h"
#include "seeder/ctl/views.h"

namespace lineside::ctl {

// Colours and size of the terminal; neither if standard output is none.
ViewOptions terminal_options();

// A picture that is drawn over the one before.
class Picture {
 public:
  explicit Picture(std::ostream& out) : out_(out) {}
  void draw(const std::string& text);

 private:
  std::ostream& out_;
  std::size_t lines_ = 0;  // of the last one
};

// Devices that are not inferring, damaged, failed or silent.
void call_attention(Session& session, const seeder::SiteStatus& status);

}  // namespace lineside::ctl
