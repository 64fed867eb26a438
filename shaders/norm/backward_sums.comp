// Backward, pass 1: sum q and sum q * x^ of every strand, each as a float32 sum and what its rounding lost; q is dy, or
// dy * gamma.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

PUSH_CONSTANTS(NormBackwardSums, push)

#define MEAN_BINDING 2
#define DEVIATION_BINDING 3
#define GAMMA_BINDING 5
#define BETA_BINDING 6
#define MASK_BINDING 7
#define VALID_BINDING 8
#define Y_BINDING 9
#include "norm/features.glsl"
#include "norm/scaling.glsl"
#include "norm/gate.glsl"
#include "norm/sums.glsl"

BLOCK_READER(x, 0)  // read_x
BLOCK_READER(dy, 1)  // read_dy
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };
#include "norm/strand_sums.glsl"
#include "norm/terms.glsl"

#define GIVE(K) \
    if (K < place.there) partials[partial_of(push.strands, place, strand_at(gl_GlobalInvocationID), K)] = sums[K];

void main() {
    const NormWalk walk = push.walk;
    Place place;
    if (!find_place(walk, gl_GlobalInvocationID, place)) return;
    Scaling scaling;
    if (needs_x) scaling = scaling_at(place);
    const Strand strand = strand_of(walk, place, strand_at(gl_GlobalInvocationID));
    const uvec4 sums[4] = sums_of_strands(walk, place, strand, scaling, push.x_first, push.dy_first);
    EACH_ELEMENT(GIVE)
}
