// Push constants of the kernel that augments pictures, shared by C++ and GLSL.
#ifndef VKNORM_SHADERS_AUGMENT_H
#define VKNORM_SHADERS_AUGMENT_H

#include "types.h"

#ifdef __cplusplus
namespace vknorm::shaders {
#endif

struct Augment {
    uint lines;  // of all pictures
    uint channels;
    uint height;
    uint width;
    uint padding;
    uint flip;  // 1: a picture may be mirrored
    uint seed_low;
    uint seed_high;
    uint step_low;
    uint step_high;
    uint layer;
    float mean[4];  // of the channels; those of pictures with more are 0
    float scale[4];
};

#ifdef __cplusplus
}  // namespace vknorm::shaders
#endif

#endif
