// y = the mean of each window.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/average_pool.glsl"

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { float y[]; };

void main() {
    const uint invocations = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < p.runs; i += invocations) {
        const Run run = run_at(i, p.output_height, p.output_width);
        const uint map = run.map * p.height * p.width;
        const uint line = (run.map * p.output_height + run.line) * p.output_width;
        const Span rows = averaged(run.line, p.height, p.output_height);
        for (uint place = run.first; place < run.end; ++place) {
            const Span columns = averaged(place, p.width, p.output_width);
            float sum = 0;
            for (uint r = 0; r < rounds_of_values(rows); ++r) {
                float of_row = 0;
                for (uint c = 0; c < rounds_of_values(columns); ++c) {
                    const uint row = rows.first + r, column = columns.first + c;
                    if (row < rows.end && column < columns.end) of_row += x[map + row * p.width + column];
                }
                sum += of_row;
            }
            y[line + place] = sum / float(divisor(rows, columns));
        }
    }
}
