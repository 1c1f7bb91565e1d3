// SPDX-License-Identifier: Apache-2.0
// A file of users that is accepted keeps its users when one more is added and removed again.
#include <cstdlib>
#include <string>

#include "proto/base/bytes.h"
#include "seeder/page/users.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lineside::seeder;
  std::string_view text = lineside::as_text({data, size});
  auto users = parse_users(text, "users");
  if (!users.ok()) {
    if (users.error().what.rfind("users:", 0) != 0) std::abort();
    return 0;
  }
  const std::string hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$Y2hlYXBoYXNo";
  std::string more = edit_users(text, "zz-new", hash);
  auto again = parse_users(more, "users");
  if (!again.ok() || again->at("zz-new") != hash) std::abort();
  auto fewer = parse_users(edit_users(more, "zz-new", std::nullopt), "users");
  users->erase("zz-new");
  if (!fewer.ok() || *fewer != *users) std::abort();
  return 0;
}
