// Lets one header declare push constants for both sides: GLSL's 32-bit types for C++.
#ifndef VKNORM_SHADERS_TYPES_H
#define VKNORM_SHADERS_TYPES_H

#ifdef __cplusplus
#include <cstdint>

namespace vknorm::shaders {
using uint = std::uint32_t;
}  // namespace vknorm::shaders
#endif

#endif
