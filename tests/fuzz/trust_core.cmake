# SPDX-License-Identifier: Apache-2.0
lineside_fuzzer(json SOURCES ${CMAKE_CURRENT_LIST_DIR}/json_fuzz.cc DEPS lineside_trust)
lineside_fuzzer(dsse SOURCES ${CMAKE_CURRENT_LIST_DIR}/dsse_fuzz.cc DEPS lineside_trust)
lineside_fuzzer(tuf SOURCES ${CMAKE_CURRENT_LIST_DIR}/tuf_fuzz.cc DEPS lineside_tuf)
lineside_fuzzer(leaves SOURCES ${CMAKE_CURRENT_LIST_DIR}/leaves_fuzz.cc DEPS lineside_trust)
