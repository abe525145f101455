# Every third-party library behind one interface target, all from Debian packages (see scripts/setup).
function(tw_dependency name)
  cmake_parse_arguments(ARG "" "" "LIBS;DEFINES" ${ARGN})
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE ${ARG_LIBS})
  target_compile_definitions(${name} INTERFACE ${ARG_DEFINES})
endfunction()

find_package(fmt REQUIRED)
tw_dependency(tw_dep_fmt LIBS fmt::fmt)
tw_dependency(tw_dep_crypto LIBS crypto)
tw_dependency(tw_dep_ssl LIBS ssl crypto)
tw_dependency(tw_dep_curl LIBS curl)
tw_dependency(tw_dep_mhd LIBS microhttpd)
tw_dependency(tw_dep_jq LIBS jq)
tw_dependency(tw_dep_toml LIBS tomlplusplus DEFINES TOML_HEADER_ONLY=0)
tw_dependency(tw_dep_prometheus LIBS prometheus-cpp-core)
tw_dependency(tw_dep_systemd LIBS systemd)
tw_dependency(tw_dep_civetweb LIBS civetweb-cpp)
find_package(spdlog REQUIRED)
tw_dependency(tw_dep_spdlog LIBS spdlog::spdlog)

# gRPC is named library by library: its pkg-config files take pkg-config half a minute to walk through.
# The client side needs no TLS inside gRPC (lib/teleport brings its own), hence the *_unsecure libraries.
if(TW_STATIC_DEPS)
  tw_dependency(tw_dep_sqlite LIBS -l:libsqlite3.a m dl)
  file(GLOB absl /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libabsl_*.a)
  tw_dependency(tw_dep_grpc LIBS -Wl,--start-group -l:libgrpc++_unsecure.a -l:libgrpc_unsecure.a -l:libgpr.a
    -l:libupb.a -l:libaddress_sorting.a -l:libcares.a -l:libprotobuf.a -l:libre2.a ${absl} -Wl,--end-group
    z rt systemd Threads::Threads)
else()
  tw_dependency(tw_dep_sqlite LIBS sqlite3)
  tw_dependency(tw_dep_grpc LIBS grpc++_unsecure grpc_unsecure gpr protobuf absl_synchronization)
endif()
# The sandbox is a server with TLS of gRPC's own, so that the client's tunnel meets a foreign implementation.
tw_dependency(tw_dep_grpc_tls LIBS grpc++ grpc gpr protobuf absl_synchronization)

if(TW_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  tw_dependency(tw_dep_gtest LIBS GTest::gmock GTest::gtest GTest::gtest_main)
endif()
