// Lets one header declare push constants for both sides: GLSL's 32-bit types for C++, and how a kernel has them.
#ifndef VKNORM_SHADERS_TYPES_H
#define VKNORM_SHADERS_TYPES_H

#ifdef __cplusplus
#include <cstdint>

namespace vknorm::shaders {
using uint = std::uint32_t;
}  // namespace vknorm::shaders
#else
// A variable of the kernel, read once: where a loop reads push constants, a CPU's driver does so in every round.
#define PUSH_CONSTANTS(TYPE, NAME)                             \
    layout(push_constant) uniform PushConstants { TYPE pushed; }; \
    TYPE NAME = pushed;
#endif

#endif
