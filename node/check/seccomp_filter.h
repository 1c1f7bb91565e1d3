// SPDX-License-Identifier: Apache-2.0
// The system calls that no inference needs, as a seccomp filter (struct sock_filter array) in the
// form that `bwrap --seccomp FD` reads.
//
// Ended with SIGSYS: mounting, tracing, loading kernels, modules and BPF programs. Answered with
// EPERM, since libraries try them and cope: namespaces, key rings, perf events, user faults.
#pragma once

#include "proto/base/bytes.h"

namespace lineside::node {

// Empty on a machine type that has no table here; the sandbox then goes without.
Bytes seccomp_filter();

}  // namespace lineside::node
