# SPDX-License-Identifier: Apache-2.0
foreach(document listing manifest roster directive attestation)
  lineside_fuzzer(${document}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${document}_fuzz.cc
    DEPS lineside_trust)
endforeach()
