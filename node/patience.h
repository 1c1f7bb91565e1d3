// SPDX-License-Identifier: Apache-2.0
// How long a device waits before it does something else; table [patience] of its configuration.
#pragma once

#include <chrono>

namespace lineside::node {

struct Patience {
  using Milliseconds = std::chrono::milliseconds;
  // A transfer in which nothing arrives gives way to another delivery, if there is one.
  Milliseconds transfer{300'000};
  // A full delivery stands ready and the gateway still prepares one from a tree that is here, which
  // is smaller as a rule.
  Milliseconds smaller{120'000};
  Milliseconds retry{2'000};        // before a step that can yet succeed is tried again
  Milliseconds unreachable{5'000};  // before a gateway that did not answer is asked again
  Milliseconds site_root{300'000};  // between two looks for newer operators
  Milliseconds gateway{600'000};    // before a silent gateway's part is done without it
  Milliseconds disk{5'000};         // before a disk that took no write is tried again
};

}  // namespace lineside::node
