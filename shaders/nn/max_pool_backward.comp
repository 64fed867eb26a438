// dx = the sum of dy over the windows whose largest value that was.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "nn/pooling.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Dy { float dy[]; };
layout(std430, set = 0, binding = 1) readonly buffer Indices { uint indices[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Dx { float dx[]; };

void main() {
    const uint invocations = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < p.runs; i += invocations) {
        const Run run = run_at(i, p.height, p.width);
        const uint map = run.map * p.output_height * p.output_width, map_of_x = run.map * p.height * p.width;
        const Span rows = windows_of(run.line, p.output_height);
        [[unroll]] for (uint v = 0; v < 4; ++v) {
            const uint column_of_x = min(run.first + v, run.end - 1);  // the last one again, where there are fewer
            const uint index = run.line * p.width + column_of_x;
            const Span columns = windows_of(column_of_x, p.output_width);
            float sum = 0;
            for (uint r = 0; r < windows_over_a_value; ++r) {
                for (uint c = 0; c < windows_over_a_value; ++c) {
                    const uint row = rows.first + r, column = columns.first + c;
                    const bool window = row < rows.end && column < columns.end;
                    const uint at = window ? map + row * p.output_width + column : 0;
                    const float d = dy[at];
                    sum += window && indices[at] == index ? d : 0;
                }
            }
            dx[map_of_x + index] = sum;
        }
    }
}
