# SPDX-License-Identifier: Apache-2.0
lineside_fuzzer(http_target SOURCES ${CMAKE_CURRENT_LIST_DIR}/http_target_fuzz.cc DEPS lineside_http)
lineside_fuzzer(http_range SOURCES ${CMAKE_CURRENT_LIST_DIR}/http_range_fuzz.cc DEPS lineside_http)
