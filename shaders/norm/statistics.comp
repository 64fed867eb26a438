// Training forward, pass 1: count, mean and squared deviations of every strand of x.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

#define BATCHES_BINDING 2
PUSH_CONSTANTS(NormStatistics, push)

#define VALID_BINDING 3
#include "finite.glsl"
#include "norm/features.glsl"
#include "norm/moments.glsl"
#include "norm/measure.glsl"

BLOCK_READER(x, 0)  // read_x
#include "norm/strand_moments.glsl"
layout(std430, set = 0, binding = 1) writeonly buffer Partials { uvec4 partials[]; };

uint blocks_of(Strand strand) { return strand.blocks + (strand.tail > 0 ? 1 : 0); }
uint values_of_block(Strand strand, uint i) { return i < strand.blocks ? 4 : strand.tail; }

// Which values of a block of an element's strand count.
bvec4 counted(Place place, uint at, uint element, uint values) {
    if (!has_valid) return held(values);
    if (!adjacent) return are_valid(values_at(push.walk, place, at), values);
    const uint value = values_at(push.walk, place, at)[element], step = across ? push.walk.positions : 1;
    return are_valid(value + step * uvec4(0, 1, 2, 3), values);
}

// The moments of those values of an element's strand that count: any of a block may be missing.
Moments moments_of_counted(NormWalk walk, Place place, Strand strand, uint element) {
    Moments moments = Moments(0, 0, 0, 0);
    uint address = push.x_first + strand.address, at = strand.first;
    for (uint i = 0; i < blocks_of(strand); ++i) {
        const uint values = values_of_block(strand, i);
        const vec4 x = some_x(walk, address, place.there, element, values);
        const bvec4 counts = counted(place, at, element, values);
        const uint there = uint(counts.x) + uint(counts.y) + uint(counts.z) + uint(counts.w);
        const float pilot = counts.x ? x.x : counts.y ? x.y : counts.z ? x.z : x.w;
        moments = merge(moments, moments_of_block(pilot, x, counts, there));
        address += block_pitch(walk);
        at += block_step(walk);
    }
    return moments;
}

layout(std430, set = 0, binding = 4) buffer Health { uint health[]; };

// Only strands that are poisoned are read again.
void report_non_finite(NormWalk walk, Place place, Strand strand, uint element, Moments moments) {
    if (is_finite(moments.squares) && is_finite(moments.high) && is_finite(moments.low)) return;
    uint first = ~0u;
    uint address = push.x_first + strand.address, at = strand.first;
    for (uint i = 0; i < blocks_of(strand); ++i) {
        const uint values = values_of_block(strand, i);
        const vec4 x = some_x(walk, address, place.there, element, values);
        const bvec4 counts = counted(place, at, element, values);
        const uvec4 value = values_at(walk, place, at);
        for (uint k = 0; k < 4; ++k) {
            const uint number = adjacent ? value[element] + k * (across ? walk.positions : 1) : value[k];
            if (counts[k] && !is_finite(x[k])) first = min(first, number);
        }
        address += block_pitch(walk);
        at += block_step(walk);
    }
    const uint at_channel = push.health_first + norm_health_words * place.channels[element];
    if (first != ~0u) atomicMin(health[at_channel + 2], first);
}

#define GIVE(K) \
    if (K < place.there) give(walk, place, strand, K, moments[K]);

void give(NormWalk walk, Place place, Strand strand, uint element, Moments moments) {
    if (has_valid) moments = moments_of_counted(walk, place, strand, element);
    if (has_health) report_non_finite(walk, place, strand, element, moments);
    partials[partial_of(push.strands, place, strand_at(gl_GlobalInvocationID), element)] = packed(moments);
}

void main() {
    const NormWalk walk = push.walk;
    if ((features & norm_count) != 0 && gl_GlobalInvocationID == uvec3(0)) count_batch();
    Place place;
    if (!find_place(walk, gl_GlobalInvocationID, place)) return;
    const Strand strand = strand_of(walk, place, strand_at(gl_GlobalInvocationID));
    Moments moments[4];
    if (!has_valid) moments = moments_of_strands(walk, strand, place.there, push.x_first);
    EACH_ELEMENT(GIVE)
}
