// Measures one tensor, or one unit of it: histogram, extremes, shifted moments, and on demand the values at the ranks
// that percentiles need. The host adds the workgroups' parts up. Integer counts and a fixed order of additions make the
// result the same bits at every run.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "finite.glsl"
#include "nn.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool rank = false;
layout(constant_id = 2) const bool of_unit = false;

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Result { uint result[]; };

PUSH_CONSTANTS(Probe, p)

shared uint histogram[probe_most_bins];

struct Moments {
    uint finite;
    uint others;
    float minimum;
    float maximum;
    float sum;
    float squares;
};
shared Moments parts[gl_WorkGroupSize.x];

float value(uint i) {
    if (!of_unit) return x[i];
    const uint row = i / p.positions;
    return x[p.first + row * p.stride + (i - row * p.positions)];
}

// Stores the value if it stands at one of the ranks on either side of the 15th, 50th and 85th percentile. Equal values
// are ranked by their index, so that every rank has one owner.
void rank_value(uint index, float v) {
    uint below = 0, finite = 0;
    for (uint i = 0; i < p.elements; ++i) {
        const float other = value(i);
        if (!is_finite(other)) continue;
        ++finite;
        if (other < v || (other == v && i < index)) ++below;
    }
    const uvec3 lower = uvec3(15, 50, 85) * (finite - 1) / 100, upper = min(lower + 1, finite - 1);
    for (uint i = 0; i < 3; ++i) {
        if (below == lower[i]) result[1 + 2 * i] = floatBitsToUint(v);
        if (below == upper[i]) result[2 + 2 * i] = floatBitsToUint(v);
    }
}

void main() {
    const uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
    for (uint i = lane; i < p.bins; i += lanes) histogram[i] = 0;
    barrier();

    const float first = value(0), shift = is_finite(first) ? first : 0;
    Moments m = Moments(0, 0, uintBitsToFloat(0x7f7fffffu), uintBitsToFloat(0xff7fffffu), 0, 0);
    for (uint i = gl_GlobalInvocationID.x; i < p.elements; i += lanes * gl_NumWorkGroups.x) {
        const float v = value(i);
        if (!is_finite(v)) {
            ++m.others;
            continue;
        }
        ++m.finite;
        m.minimum = min(m.minimum, v);
        m.maximum = max(m.maximum, v);
        m.sum += v - shift;
        m.squares += (v - shift) * (v - shift);
        const float position = clamp((v - p.low) * p.bins_per_unit, 0, float(p.bins - 1));
        atomicAdd(histogram[uint(position)], 1);
        if (rank) rank_value(i, v);
    }
    parts[lane] = m;
    barrier();

    const uint part = probe_header + gl_WorkGroupID.x * (probe_part + p.bins);
    for (uint i = lane; i < p.bins; i += lanes) result[part + probe_part + i] = histogram[i];
    if (lane != 0) return;
    for (uint i = 1; i < lanes; ++i) {
        m.finite += parts[i].finite;
        m.others += parts[i].others;
        m.minimum = min(m.minimum, parts[i].minimum);
        m.maximum = max(m.maximum, parts[i].maximum);
        m.sum += parts[i].sum;
        m.squares += parts[i].squares;
    }
    result[part] = m.finite;
    result[part + 1] = m.others;
    result[part + 2] = floatBitsToUint(m.minimum);
    result[part + 3] = floatBitsToUint(m.maximum);
    result[part + 4] = floatBitsToUint(m.sum);
    result[part + 5] = floatBitsToUint(m.squares);
    if (gl_WorkGroupID.x == 0) result[0] = floatBitsToUint(shift);
}
