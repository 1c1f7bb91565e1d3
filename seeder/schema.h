// SPDX-License-Identifier: Apache-2.0
// The tables of the gateway's database, and how an older one becomes the present one.
#pragma once

#include "seeder/sqlite.h"

namespace lineside::seeder {

// Brings `database` to the newest schema, one committed step at a time. kUnsupported if a newer
// program has written it.
Result<void> migrate(Database& database);

}  // namespace lineside::seeder
