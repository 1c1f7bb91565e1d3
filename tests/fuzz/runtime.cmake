# SPDX-License-Identifier: Apache-2.0
lineside_fuzzer(pep440 SOURCES ${CMAKE_CURRENT_LIST_DIR}/pep440_fuzz.cc DEPS lineside_runtime)
lineside_fuzzer(pep508 SOURCES ${CMAKE_CURRENT_LIST_DIR}/pep508_fuzz.cc DEPS lineside_runtime)
