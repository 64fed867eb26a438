// dx = the sum over the windows that have the value of dy / what their sums were divided by.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/average_pool.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Dy { float dy[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Dx { float dx[]; };

void main() {
    const uint invocations = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < p.runs; i += invocations) {
        const Run run = run_at(i, p.height, p.width);
        const uint map = run.map * p.output_height * p.output_width;
        const uint line = (run.map * p.height + run.line) * p.width;
        const Span rows = averaging(run.line, p.height, p.output_height);
        for (uint column_of_x = run.first; column_of_x < run.end; ++column_of_x) {
            const Span columns = averaging(column_of_x, p.width, p.output_width);
            float sum = 0;
            for (uint r = 0; r < rounds_of_windows(rows); ++r) {
                for (uint c = 0; c < rounds_of_windows(columns); ++c) {
                    const uint row = rows.first + r, column = columns.first + c;
                    if (row >= rows.end || column >= columns.end) continue;
                    const Span its_rows = averaged(row, p.height, p.output_height);
                    const Span its_columns = averaged(column, p.width, p.output_width);
                    sum += dy[map + row * p.output_width + column] / float(divisor(its_rows, its_columns));
                }
            }
            dx[line + column_of_x] = sum;
        }
    }
}
