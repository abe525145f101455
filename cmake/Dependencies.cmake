# Every third-party library behind one interface target, all from Debian packages (see scripts/setup).
find_package(PkgConfig REQUIRED)

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

# Debian 12 ships the archive without a pkg-config "static" form, so the archives are named one by one.
# The client side needs no TLS inside gRPC (lib/teleport brings its own), hence the *_unsecure libraries.
if(TW_STATIC_DEPS)
  tw_dependency(tw_dep_sqlite LIBS -l:libsqlite3.a m dl)
  pkg_check_modules(TW_GRPC REQUIRED grpc++_unsecure)
  set(absl ${TW_GRPC_STATIC_LIBRARIES})
  list(FILTER absl INCLUDE REGEX "^absl_")
  list(REMOVE_DUPLICATES absl)
  list(TRANSFORM absl REPLACE "^(.+)$" "-l:lib\\1.a")
  list(JOIN absl " " absl)
  separate_arguments(absl)
  tw_dependency(tw_dep_grpc LIBS -Wl,--start-group -l:libgrpc++_unsecure.a -l:libgrpc_unsecure.a -l:libgpr.a
    -l:libupb.a -l:libaddress_sorting.a -l:libcares.a -l:libprotobuf.a -l:libre2.a ${absl} -Wl,--end-group
    z rt systemd Threads::Threads)
else()
  tw_dependency(tw_dep_sqlite LIBS sqlite3)
  pkg_check_modules(TW_GRPC REQUIRED IMPORTED_TARGET grpc++_unsecure protobuf)
  tw_dependency(tw_dep_grpc LIBS PkgConfig::TW_GRPC)
endif()
# The sandbox is a server with TLS of gRPC's own, so that the client's tunnel meets a foreign implementation.
pkg_check_modules(TW_GRPC_TLS REQUIRED IMPORTED_TARGET grpc++ protobuf)
tw_dependency(tw_dep_grpc_tls LIBS PkgConfig::TW_GRPC_TLS)

if(TW_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  tw_dependency(tw_dep_gtest LIBS GTest::gmock GTest::gtest GTest::gtest_main)
endif()
