# Manuals, and what `cmake --install` and CPack put where. Two packages: the program, and the sandbox, which drags in
# gRPC's shared libraries that the program does not need. Included before the rooms: install rules without COMPONENT
# belong to the program.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME teleport-webhooks)

set(tw_man_pages teleport-webhooks.1 teleport-webhooks.toml.5 teleport-webhooks-events.7)
foreach(verb approve check completion configure deny send serve version watch)
  list(APPEND tw_man_pages teleport-webhooks-${verb}.1)
endforeach()

# Built where scdoc and gzip are; a build without them lacks only the manuals.
find_program(TW_SCDOC scdoc)
find_program(TW_GZIP gzip)
function(tw_man_page page component)
  string(REGEX MATCH "[157]$" section ${page})
  set(out ${CMAKE_BINARY_DIR}/man/${page})
  add_custom_command(
    OUTPUT ${out} ${out}.gz
    COMMAND ${TW_SCDOC} < ${CMAKE_SOURCE_DIR}/man/${page}.scd > ${out}
    COMMAND ${TW_GZIP} -9nkf ${out}
    DEPENDS ${CMAKE_SOURCE_DIR}/man/${page}.scd
    COMMENT "Manual ${page}")
  set_property(GLOBAL APPEND PROPERTY TW_MAN_FILES ${out}.gz)
  install(FILES ${out}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
endfunction()

if(TW_SCDOC AND TW_GZIP)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/man)
  foreach(page ${tw_man_pages})
    tw_man_page(${page} teleport-webhooks)
  endforeach()
  if(EXISTS ${CMAKE_SOURCE_DIR}/man/teleport-sandbox.1.scd)
    tw_man_page(teleport-sandbox.1 teleport-sandbox)
  endif()
  get_property(files GLOBAL PROPERTY TW_MAN_FILES)
  add_custom_target(man ALL DEPENDS ${files})
endif()

# Where Debian's shells look for completions.
install(FILES completions/teleport-webhooks.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME teleport-webhooks)
install(FILES completions/_teleport-webhooks DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES completions/teleport-webhooks.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(FILES packaging/teleport-webhooks.service DESTINATION lib/systemd/system)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples USE_SOURCE_PERMISSIONS)
install(FILES README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/teleport-sandbox COMPONENT teleport-sandbox)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME teleport-webhooks)
set(CPACK_PACKAGE_VENDOR "the teleport-webhooks project")
set(CPACK_PACKAGE_CONTACT "the teleport-webhooks project <maintainers@teleport-webhooks.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "carry Teleport access requests to other systems over HTTP, and decisions back")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL teleport-webhooks teleport-sandbox)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_TELEPORT-WEBHOOKS_PACKAGE_NAME teleport-webhooks)
set(CPACK_DEBIAN_TELEPORT-WEBHOOKS_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION_SUMMARY}
 Every change of an access request becomes a signed webhook that survives crashes
 and outages; authenticated callbacks approve or deny. Each verb also stands alone
 in a pipeline: configure, check, watch, send, serve, approve, deny.")
set(CPACK_DEBIAN_TELEPORT-WEBHOOKS_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_TELEPORT-WEBHOOKS_PACKAGE_SUGGESTS "teleport-sandbox, jq")
set(CPACK_DEBIAN_TELEPORT-SANDBOX_PACKAGE_NAME teleport-sandbox)
set(CPACK_DEBIAN_TELEPORT-SANDBOX_DESCRIPTION "stand-in for a Teleport Auth Service, to try access request plugins
 Real gRPC over mutual TLS on loopback, made certificates, access requests in
 memory, faults on demand, and a request bin that shows and verifies webhooks.")
set(CPACK_DEBIAN_TELEPORT-SANDBOX_PACKAGE_SUGGESTS teleport-webhooks)
include(CPack)
