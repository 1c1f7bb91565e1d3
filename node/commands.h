// SPDX-License-Identifier: Apache-2.0
// The commands of lineside-node. Each returns the program's exit status:
//
//     0  done; for status, verify and check: all is well
//     1  it is not: differences, a check that failed, nothing confirmed, NOT INFERRING
//     2  wrong use or configuration (the message names file and line)
//     3  anything else: the message says what
//
// An error is one line on standard error: "lineside-node: CODE: MESSAGE", or with --json the object
// {"error":{"code":…,"message":…}}. status, verify and key show change nothing on the device.
#pragma once

#include "node/node_config.h"

namespace lineside::node {

enum ExitStatus : int { kGood = 0, kBad = 1, kUsage = 2, kFailed = 3 };

// Says the error and returns its exit status.
int fail(const Error& error, bool json);

// The daemon, until SIGTERM or SIGINT.
int run_command(const NodeConfig& config);
// Version, tree, state and last check, from the state folder. Works while the daemon runs.
int status_command(const NodeConfig& config, bool json);
// Scans the current tree against its signed listing.
int verify_command(const NodeConfig& config, bool json);
// Runs the inference check of the current tree now.
int check_command(const NodeConfig& config, bool json);
// Prints the fingerprint and public key of the device; makes the key if there is none, with
// `in_tpm` in its TPM, where there must be none yet.
int key_command(const NodeConfig& config, bool in_tpm, bool json);
// The same, and fails (kNotFound) if there is none.
int key_show_command(const NodeConfig& config, bool json);

}  // namespace lineside::node
