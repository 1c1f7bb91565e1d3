// SPDX-License-Identifier: Apache-2.0
#include "proto/base/log.h"

#include <gtest/gtest.h>

namespace lineside {
namespace {

TEST(Log, CarriesThePriorityAndTheFields) {
  EXPECT_EQ(format_log(Level::kInfo, "node enrolled", {{"node", "cam07"}, {"why", "by hand"}}),
            "<6>node enrolled node=cam07 why=\"by hand\"");
}

TEST(Log, AHostileValueCannotForgeALine) {
  std::string line = format_log(Level::kWarning, "m", {{"v", "a\n<3>forged x=\"1\""}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line, "<4>m v=\"a\\x0a<3>forged x=\\\"1\\\"\"");
}

}  // namespace
}  // namespace lineside
