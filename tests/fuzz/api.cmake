# SPDX-License-Identifier: Apache-2.0
lineside_fuzzer(api_report SOURCES ${CMAKE_CURRENT_LIST_DIR}/api_report_fuzz.cc DEPS lineside_api)
lineside_fuzzer(api_gossip SOURCES ${CMAKE_CURRENT_LIST_DIR}/api_gossip_fuzz.cc DEPS lineside_api)
