# Installs the library, its headers, and what find_package(vknorm) and pkg-config read. The result may be moved: no file
# of it names the prefix.
include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vknorm)
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/vknormConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

# libvulkan is opened at run time, so pkg-config's own vulkan package, which links it, is not required: only where its
# headers are, unless every compiler looks there.
file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_PREFIX}/${pc_dir} ${CMAKE_INSTALL_PREFIX})
set(vulkan_cflags "")
if(NOT Vulkan_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  set(vulkan_cflags " -I\"${Vulkan_INCLUDE_DIR}\"")
endif()
# Those who link a static library link what it needs, too.
get_target_property(vknorm_type vknorm TYPE)
set(requires Requires.private)
set(static_libs "")
if(vknorm_type STREQUAL STATIC_LIBRARY)
  set(requires Requires)
  list(TRANSFORM CMAKE_DL_LIBS PREPEND " -l" OUTPUT_VARIABLE dl_libs)
  set(static_libs " -pthread${dl_libs}")
endif()
configure_file(vknorm.pc.in vknorm.pc @ONLY)
configure_file(vknormConfig.cmake.in vknormConfig.cmake @ONLY)

install(TARGETS vknorm EXPORT vknormTargets COMPONENT engine)
install(EXPORT vknormTargets NAMESPACE vknorm:: DESTINATION ${cmake_dir} COMPONENT engine)
install(DIRECTORY include/vknorm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT engine)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vknormConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/vknormConfigVersion.cmake
  DESTINATION ${cmake_dir} COMPONENT engine)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vknorm.pc DESTINATION ${pc_dir} COMPONENT engine)
