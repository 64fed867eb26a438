// y = the largest value of each window and, on demand, where in its map it is.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
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
        [[unroll]] for (uint v = 0; v < 4; ++v) {
            const uint place = min(run.first + v, run.end - 1);  // the last one again, where there are fewer
            const Span columns = values_of(place, p.width);
            uint index = rows.first * p.width + columns.first;
            float largest = x[map + index];
            for (uint r = 0; r < kernel; ++r) {
                for (uint c = 0; c < kernel; ++c) {
                    const uint row = rows.first + r * dilation, column = columns.first + c * dilation;
                    const bool inside = row < rows.end && column < columns.end;
                    const uint at = inside ? row * p.width + column : index;
                    const float value = x[map + at];
                    const bool takes = value > largest || is_nan(value);
                    largest = takes ? value : largest;
                    index = takes ? at : index;
                }
            }
            y[line + place] = largest;
            if (tell) indices[line + place] = index;
        }
    }
}
