// Copies a tensor as ChannelsLast describes: an invocation copies four adjacent positions (or one), four channels at a
// time, which it turns over in registers, or writes the zeros of a position outside.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "nn.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool whole_vectors = false;  // the positions of a channel are a multiple of four
layout(constant_id = 2) const uint at_once = 4;            // positions

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
#ifdef TEXELS
layout(set = 0, binding = 2) uniform samplerBuffer x_vectors;
#define LOAD(i) texelFetch(x_vectors, int(i))
#else
layout(std430, set = 0, binding = 0) readonly buffer XVectors { vec4 x_vectors[]; };
#define LOAD(i) x_vectors[i]
#endif
layout(std430, set = 0, binding = 1) writeonly buffer Y { vec4 y[]; };

PUSH_CONSTANTS(ChannelsLast, p)

// Four positions of a channel, from `first` on; anything beyond the last one.
vec4 positions_of(uint channel, uint first, uint last) {
    const uint plane = channel * p.channel_step;
    if (whole_vectors) return LOAD((plane + first) / 4);
    return vec4(x[plane + first], x[plane + min(first + 1, last)], x[plane + min(first + 2, last)],
                x[plane + min(first + 3, last)]);
}

// Whether the copy has a position, and its number there.
bool is_kept(uint row, uint column) { return row < p.kept_height && column < p.kept_width; }
uint place(uint image, uint row, uint column) {
    return (image * p.padded_height + p.padding + row) * p.padded_width + p.padding + column;
}

void copy(uint image, uint first) {
    const uint from = image * p.image_step, last = from + p.height * p.width - 1;
    uint row = first / p.width, column = first % p.width;
    uint to[4];
    bool kept[4];
    [[unroll]] for (uint j = 0; j < 4; ++j) {
        to[j] = place(image, row, column) * p.vectors;
        kept[j] = j < at_once && is_kept(row, column);
        const bool next_row = ++column == p.width;
        row += next_row ? 1 : 0;
        column = next_row ? 0 : column;
    }
    for (uint v = 0; v < p.vectors; ++v) {
        vec4 channels[4];
        [[unroll]] for (uint j = 0; j < 4; ++j) {
            const vec4 loaded = positions_of(min(4 * v + j, p.channels - 1), from + first, last);
            channels[j] = 4 * v + j < p.channels ? loaded : vec4(0);
        }
        const mat4 positions = transpose(mat4(channels[0], channels[1], channels[2], channels[3]));
        [[unroll]] for (uint j = 0; j < 4; ++j)
            if (kept[j]) y[to[j] + v] = positions[j];
    }
}

void write_zeros(uint image, uint outside) {
    const uint above = p.padding * p.padded_width, beside = p.padded_width - p.kept_width;
    const uint rows_beside = p.kept_height * beside;
    uint at = outside;
    if (outside >= above) {
        const uint here = outside - above, column = here % max(beside, 1);
        at = (p.padding + here / max(beside, 1)) * p.padded_width + column + (column < p.padding ? 0 : p.kept_width);
        if (here >= rows_beside) at = outside + p.kept_height * p.kept_width;
    }
    const uint to = (image * p.padded_height * p.padded_width + at) * p.vectors;
    for (uint v = 0; v < p.vectors; ++v) y[to + v] = vec4(0);
}

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    const uint copies = (p.height * p.width + at_once - 1) / at_once;
    const uint outside = p.padded_height * p.padded_width - p.kept_height * p.kept_width;
    for (uint i = gl_GlobalInvocationID.x; i < p.images * copies; i += stride)
        copy(i / copies, i % copies * at_once);
    for (uint i = gl_GlobalInvocationID.x; i < p.images * outside; i += stride) write_zeros(i / outside, i % outside);
}
