# SPDX-License-Identifier: Apache-2.0
foreach(parser elf metadata onnx pep440 pep508 probe_spec record)
  lineside_fuzzer(${parser} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${parser}_fuzz.cc DEPS lineside_runtime)
endforeach()
