// Double backward: sum (dy - mean of dy) * (ddx - mean of ddx) of every strand, as a float32 sum and what its
// rounding lost.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

PUSH_CONSTANTS(NormProducts, push)

#include "norm/features.glsl"
#include "norm/affine.glsl"
#include "norm/gate.glsl"
#include "norm/sums.glsl"

BLOCK_READER(dy, 0)  // read_dy
BLOCK_READER(ddx, 1)  // read_ddx
layout(std430, set = 0, binding = 2) readonly buffer DyMeans { float dy_means[]; };
layout(std430, set = 0, binding = 3) readonly buffer DdxMeans { float ddx_means[]; };
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };

#include "norm/strand_sums.glsl"

// Of both tensors: they stand in the places of the mean and what its rounding lost.
Scaling means_at(Place place) {
    Scaling means = neutral;
    for (uint k = 0; k < 4; ++k) {
        means.mean[k] = dy_means[push.dy_means_first + 2 * place.channels[k]];
        means.mean_lost[k] = ddx_means[push.ddx_means_first + 2 * place.channels[k]];
    }
    return means;
}

Terms terms_at(Place place, Scaling means, uint ddx_at, uint dy_at, uint at, uint values, uvec4 bits) {
    const uint there = adjacent ? place.there : values;
    precise const vec4 of_dy = read_dy(dy_at, there) - means.mean;
    precise const vec4 of_ddx = read_ddx(ddx_at, there) - means.mean_lost;
    precise const vec4 products = of_dy * of_ddx;
    return Terms(adjacent ? products : mix(vec4(0), products, held(values)), vec4(0));
}

#define GIVE(K) \
    if (K < place.there) partials[partial_of(push.strands, place, strand_at(gl_GlobalInvocationID), K)] = sums[K];

void main() {
    const NormWalk walk = push.walk;
    Place place;
    if (!find_place(walk, gl_GlobalInvocationID, place)) return;
    const Strand strand = strand_of(walk, place, strand_at(gl_GlobalInvocationID));
    const uvec4 sums[4] = sums_of_strands(walk, place, strand, means_at(place), push.ddx_first, push.dy_first);
    EACH_ELEMENT(GIVE)
}
