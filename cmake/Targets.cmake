# One folder = one target. tw_library(name SOURCES ... [USES <our targets>] [WRAPS <third-party, private>]);
# USES is public (our own ports), WRAPS stays private so that third-party headers cannot leak.
function(tw_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;WRAPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/lib)
  target_link_libraries(${name} PUBLIC ${ARG_USES} PRIVATE tw_library_flags ${ARG_WRAPS})
  tw_precompiled(${name} library)
endfunction()

# tw_test(name SOURCES ... [USES ...] [WRAPS ...] [LABELS ...]): a GoogleTest program, one ctest entry a test.
function(tw_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;WRAPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE tw_flags ${ARG_USES} ${ARG_WRAPS} tw_dep_gtest)
  tw_precompiled(${name} test)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 LABELS "${ARG_LABELS}")
endfunction()

# tw_module(name SOURCES ... USES ... WRAPS ...): a private shared object, loaded on first use (base/module.h).
function(tw_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;WRAPS" ${ARGN})
  add_library(${name} MODULE ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/lib)
  target_link_libraries(${name} PRIVATE tw_library_flags ${ARG_USES} ${ARG_WRAPS})
  tw_precompiled(${name} library)
  install(TARGETS ${name} LIBRARY DESTINATION lib/teleport-webhooks/modules)
endfunction()
