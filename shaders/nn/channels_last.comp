// Copies a tensor as ChannelsLast describes: an invocation copies all channels of a position.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "nn.h"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { vec4 y[]; };

PUSH_CONSTANTS(ChannelsLast, p)

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < p.positions; i += stride) {
        const uint line = i / p.padded_width, image = line / p.padded_height;
        const uint row = line % p.padded_height - p.first_row, column = i % p.padded_width - p.first_column;
        const bool inside = row < p.height && column < p.width;
        const uint first = inside ? image * p.image_step + row * p.width + column : 0;
        for (uint v = 0; v < p.vectors; ++v) {
            vec4 channels;
            [[unroll]] for (uint j = 0; j < 4; ++j) {
                const float channel = x[first + min(4 * v + j, p.channels - 1) * p.channel_step];
                channels[j] = inside && 4 * v + j < p.channels ? channel : 0;
            }
            y[i * p.vectors + v] = channels;
        }
    }
}
