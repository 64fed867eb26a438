// y = (a crop of x with zeros around it, mirrored or not, - mean) * scale. Each picture has its own.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "augment.h"
#include "nn/philox.glsl"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { float y[]; };

PUSH_CONSTANTS(Augment, p)

// Of `word` as a fraction of 2^32: 0 to `count` - 1.
uint share(uint word, uint count) {
    uint high, low;
    umulExtended(word, count, high, low);
    return high;
}

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint line = gl_GlobalInvocationID.x; line < p.lines; line += stride) {
        const uint map = line / p.height, picture = map / p.channels, channel = map % p.channels;
        const uvec4 words = philox(uvec4(picture, p.step_low, p.step_high, p.layer), uvec2(p.seed_low, p.seed_high));
        const bool mirrored = p.flip == 1 && words.x >= 0x80000000u;
        // What lies beyond an edge is a row or column below 0, a large one in unsigned numbers.
        const uint row = line % p.height + share(words.y, 2 * p.padding + 1) - p.padding;
        const uint shift = share(words.z, 2 * p.padding + 1) - p.padding;
        const float mean = p.mean[min(channel, 3)], scale = p.scale[min(channel, 3)];
        for (uint i = 0; i < p.width; ++i) {
            const uint column = (mirrored ? p.width - 1 - i : i) + shift;
            const bool inside = row < p.height && column < p.width;
            const float value = inside ? x[(map * p.height + row) * p.width + column] : 0;
            y[line * p.width + i] = (value - mean) * scale;
        }
    }
}
