// Training forward, pass 1: count, mean and squared deviations of every strand of x.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

#define BATCHES_BINDING 2
layout(push_constant) uniform Push { NormStatistics push; };

#define VALID_BINDING 3
#include "finite.glsl"
#include "norm/features.glsl"
#include "norm/moments.glsl"
#include "norm/measure.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
#include "norm/strand_moments.glsl"
layout(std430, set = 0, binding = 1) writeonly buffer Partials { uvec4 partials[]; };

uint blocks_of(Strand strand) { return strand.blocks + (strand.tail > 0 ? 1 : 0); }

vec4 read_some_x(NormWalk walk, Cursor cursor, uint values) {
    return values == 4 ? read_x(walk, push.x_first, cursor) : read_tail_x(walk, push.x_first, cursor, values);
}

// The same over those values that count: any of a block may be missing.
Moments moments_of_counted(NormWalk walk, Strand strand) {
    Moments moments = Moments(0, 0, 0, 0);
    Cursor cursor = strand.start;
    uint value = strand.value;
    for (uint i = 0; i < blocks_of(strand); ++i) {
        const uint values = min(strand.blocks * 4 + strand.tail - i * 4, 4);
        const vec4 x = read_some_x(walk, cursor, values);
        const bvec4 counts = counted(value, values);
        const uint there = uint(counts.x) + uint(counts.y) + uint(counts.z) + uint(counts.w);
        const float pilot = counts.x ? x.x : counts.y ? x.y : counts.z ? x.z : x.w;
        moments = merge(moments, moments_of_block(pilot, x, counts, there));
        advance(walk, cursor);
        value += 4 << walk.lane_bits;
    }
    return moments;
}

layout(std430, set = 0, binding = 4) buffer Health { uint health[]; };

// Only strands that are poisoned are read again.
void report_non_finite(NormWalk walk, Strand strand, Moments moments) {
    if (is_finite(moments.squares) && is_finite(moments.high) && is_finite(moments.low)) return;
    uint first = ~0u;
    Cursor cursor = strand.start;
    uint value = strand.value;
    for (uint i = 0; i < blocks_of(strand); ++i) {
        const uint values = min(strand.blocks * 4 + strand.tail - i * 4, 4);
        const vec4 x = read_some_x(walk, cursor, values);
        const bvec4 counts = has_valid ? counted(value, values) : held(values);
        for (uint k = 0; k < 4; ++k) {
            if (counts[k] && !is_finite(x[k])) first = min(first, value + k);
        }
        advance(walk, cursor);
        value += 4 << walk.lane_bits;
    }
    if (first != ~0u) atomicMin(health[push.health_first + norm_health_words * strand.channel + 2], push.value_first + first);
}

Moments measured(NormWalk walk, Strand strand) {
    const Moments moments = has_valid ? moments_of_counted(walk, strand) : moments_of_strand(walk, strand, push.x_first);
    if (has_health) report_non_finite(walk, strand, moments);
    return moments;
}

void main() {
    const NormWalk walk = push.walk;
    if (push.counts == 1 && gl_GlobalInvocationID.x == 0 && gl_GlobalInvocationID.y == 0) count_batch();
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            partials[partial_of(push.strands, samp, strand)] = packed(measured(walk, strand));
        }
    }
}
