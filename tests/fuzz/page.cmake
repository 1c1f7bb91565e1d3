# SPDX-License-Identifier: Apache-2.0
lineside_fuzzer(page_users SOURCES ${CMAKE_CURRENT_LIST_DIR}/page_users_fuzz.cc DEPS lineside_page_login)
