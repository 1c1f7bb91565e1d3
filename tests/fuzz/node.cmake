# SPDX-License-Identifier: Apache-2.0
foreach(parser npy probe_lines)
  lineside_fuzzer(${parser} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${parser}_fuzz.cc DEPS lineside_node)
endforeach()
