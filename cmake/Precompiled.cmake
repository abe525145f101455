# The sanitizers' builds compile everything once more, so they take the standard headers precompiled: about half of the
# time on two cores. The builds for work and for release stay without, so that a missing include still shows there.
option(TW_PRECOMPILED "Precompile the standard headers (no check of missing includes)" OFF)

set(standard_headers <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <cstring> <deque>
  <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <set> <span> <sstream> <stop_token> <string>
  <string_view> <thread> <unordered_map> <utility> <variant> <vector> <tl/expected.hpp> <fmt/format.h>)

if(TW_PRECOMPILED)
  # A precompiled header serves only what is compiled with the same definitions and code model.
  target_compile_definitions(tw_flags INTERFACE FMT_SHARED)
  target_compile_options(tw_flags INTERFACE -fPIC)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled/empty.cc "")
  foreach(kind library test)
    add_library(tw_precompiled_${kind} OBJECT ${CMAKE_BINARY_DIR}/precompiled/empty.cc)
  endforeach()
  target_link_libraries(tw_precompiled_library PRIVATE tw_library_flags)
  target_link_libraries(tw_precompiled_test PRIVATE tw_flags)
  if(TW_TESTS)
    target_link_libraries(tw_precompiled_test PRIVATE tw_dep_gtest)
  endif()
  target_precompile_headers(tw_precompiled_library PRIVATE ${standard_headers})
  target_precompile_headers(tw_precompiled_test PRIVATE ${standard_headers} <gtest/gtest.h> <gmock/gmock.h>
    <nlohmann/json.hpp>)
endif()

# tw_precompiled(target library|test)
function(tw_precompiled target kind)
  if(TW_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM tw_precompiled_${kind})
  endif()
endfunction()
