# SPDX-License-Identifier: Apache-2.0
lineside_fuzzer(delivery SOURCES ${CMAKE_CURRENT_LIST_DIR}/delivery_fuzz.cc DEPS lineside_delta)
lineside_fuzzer(bsdiff40 SOURCES ${CMAKE_CURRENT_LIST_DIR}/bsdiff40_fuzz.cc DEPS lineside_delta)
lineside_fuzzer(prediction SOURCES ${CMAKE_CURRENT_LIST_DIR}/prediction_fuzz.cc DEPS lineside_delta)
