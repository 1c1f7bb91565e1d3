# SPDX-License-Identifier: Apache-2.0
lineside_fuzzer(swarm_resume SOURCES ${CMAKE_CURRENT_LIST_DIR}/swarm_resume_fuzz.cc
                DEPS lineside_swarm)
