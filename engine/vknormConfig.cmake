# find_package(vknorm): defines vknorm::vknorm.
include(CMakeFindDependencyMacro)
find_dependency(Vulkan)
find_dependency(SPIRV-Tools-opt)
find_dependency(ZLIB)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/vknormTargets.cmake)
