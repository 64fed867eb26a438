// y = the largest value of each window and, on demand, where in its map it is.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "finite.glsl"
#include "nn/pooling.glsl"

layout(constant_id = 5) const bool tell = true;

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { float y[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Indices { uint indices[]; };

void main() {
    const uint invocations = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < p.runs; i += invocations) {
        const Run run = run_at(i, p.output_height, p.output_width);
        const uint map = run.map * p.height * p.width;
        const uint line = (run.map * p.output_height + run.line) * p.output_width;
        const Span rows = values_of(run.line, p.height);
        for (uint place = run.first; place < run.end; ++place) {
            const Span columns = values_of(place, p.width);
            uint index = rows.first * p.width + columns.first;
            float largest = x[map + index];
            for (uint row = rows.first; row < rows.end; row += dilation) {
                for (uint column = columns.first; column < columns.end; column += dilation) {
                    const uint at = row * p.width + column;
                    const float value = x[map + at];
                    if (value > largest || is_nan(value)) {
                        largest = value;
                        index = at;
                    }
                }
            }
            y[line + place] = largest;
            if (tell) indices[line + place] = index;
        }
    }
}
