# Flags of every target: warnings are errors, hardening is on by default.
add_library(tw_flags INTERFACE)
target_compile_options(tw_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
  -fno-plt -fvisibility=hidden -fvisibility-inlines-hidden)
target_compile_definitions(tw_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(tw_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
if(TW_SANITIZE)
  target_compile_options(tw_flags INTERFACE -fsanitize=${TW_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(tw_flags INTERFACE -fsanitize=${TW_SANITIZE})
  if(TW_SANITIZE MATCHES undefined)
    target_compile_options(tw_flags INTERFACE -fno-sanitize-recover=all)
    target_link_options(tw_flags INTERFACE -fno-sanitize-recover=all)
  endif()
else()
  # The sanitizers bring their own checks and do not like fortified calls.
  target_compile_definitions(tw_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()

# What the fuzz targets run over and over, and what shares its precompiled headers: optimised also where the tests
# around it are not.
add_library(tw_library_flags INTERFACE)
target_link_libraries(tw_library_flags INTERFACE tw_flags)
target_compile_options(tw_library_flags INTERFACE ${TW_LIBRARY_OPTIONS})

find_program(TW_CCACHE ccache)
if(TW_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TW_CCACHE})
endif()
find_program(TW_MOLD mold)
if(TW_MOLD)
  target_link_options(tw_flags INTERFACE -fuse-ld=mold)
endif()
find_package(Threads REQUIRED)
