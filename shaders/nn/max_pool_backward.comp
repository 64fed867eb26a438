// dx = the sum of dy over the windows whose largest value that was.
#version 450
#extension GL_GOOGLE_include_directive : require
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
        for (uint column_of_x = run.first; column_of_x < run.end; ++column_of_x) {
            const uint index = run.line * p.width + column_of_x;
            const Span columns = windows_of(column_of_x, p.output_width);
            float sum = 0;
            for (uint row = rows.first; row < rows.end; ++row) {
                for (uint column = columns.first; column < columns.end; ++column) {
                    const uint at = map + row * p.output_width + column;
                    if (indices[at] == index) sum += dy[at];
                }
            }
            dx[map_of_x + index] = sum;
        }
    }
}
