// Backward, pass 3: dx = inv_std * (q - mean(q) - x^ * mean(q * x^)) with q = dy * gamma; where the statistics are
// constants the whole of dx = gamma * inv_std * dy.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/sweep.glsl"

PUSH_CONSTANTS(NormBackwardApply, push)

#define MEAN_BINDING 3
#define DEVIATION_BINDING 4
#define GAMMA_BINDING 5
#define BETA_BINDING 7
#define MASK_BINDING 8
#define VALID_BINDING 9
#define Y_BINDING 11
#include "norm/features.glsl"
#include "norm/scaling.glsl"
#include "norm/gate.glsl"

BLOCK_READER(x, 0)  // read_x
BLOCK_READER(dy, 1)  // read_dy
BLOCK_WRITER(dx, 2)  // write_dx, write_two_dx
#ifdef TEXELS
layout(set = 0, binding = 6) uniform usamplerBuffer means;
vec2 means_of_set(uint of_set) { return uintBitsToFloat(texelFetch(means, int(push.means_first + of_set)).xy); }
#else
layout(std430, set = 0, binding = 6) readonly buffer MeansOfSets { vec2 means[]; };
vec2 means_of_set(uint of_set) { return means[push.means_first + of_set]; }
#endif
BLOCK_WRITER(dresidual, 10)  // write_dresidual, write_two_dresidual

#include "norm/dx.glsl"

Means means_at(Place place) {
    if (are_constants) return Means(vec4(0), vec4(0));
    const uvec4 sets = sets_of(place);
    const vec2 a = means_of_set(sets.x);
    if (!adjacent) return Means(vec4(a.x), vec4(a.y));
    const vec2 b = means_of_set(sets.y), c = means_of_set(sets.z), d = means_of_set(sets.w);
    return Means(vec4(a.x, b.x, c.x, d.x), vec4(a.y, b.y, c.y, d.y));
}

// Of four values at a place, the first of them value `at` of the sequence.
void gradients(Place place, Scaling of_place, Means of_q, uint address, uint at, uint values, uvec4 bits, out vec4 dy,
               out vec4 dx) {
    const uint there = adjacent ? place.there : values;
    const Scaling scaling = scaling_of_value(of_place, at, values);
    vec4 x = vec4(0);
    if (needs_x) x = read_x(push.x_first + address, there);
    const uint dy_at = push.dy_first + address;
    dy = gated(place, dy_at, at, values, scaling, x, read_dy(dy_at, there), bits);
    dx = dx_of(scaling, of_q, x, dy);
    if (has_valid) dx = mix(vec4(0), dx, are_valid(values_at(push.walk, place, at), values));
}

void main() {
    const NormWalk walk = push.walk;
    Place place;
    if (!find_place(walk, gl_GlobalInvocationID, place)) return;
    const Sweep sweep = sweep_of(walk, place, gl_GlobalInvocationID);
    const Scaling scaling = scaling_at(place);
    const Means of_q = means_at(place);
    uint address = sweep.address, at = sweep.first;
    vec4 dy, dx, next_dy, next_dx;
    for (uint pairs = sweep.pairs; pairs > 0; --pairs) {
        const uint next = address + sweep.next, next_at = at + sweep.next_value;
        const uvec4 bits = mask_bits(place, at, !adjacent ? 4 : across ? 1 : 2);
        gradients(place, scaling, of_q, address, at, 4, bits, dy, dx);
        gradients(place, scaling, of_q, next, next_at, 4, next_mask_bits(place, at, bits, sweep.next_value), next_dy, next_dx);
        if (gives_dresidual)
            write_two_dresidual(push.dresidual_first + address, push.dresidual_first + next, dy, next_dy, place.there);
        if (gives_dx) write_two_dx(push.dx_first + address, push.dx_first + next, dx, next_dx, place.there);
        address += sweep.step;
        at += sweep.value_step;
    }
    if (sweep.single) {
        gradients(place, scaling, of_q, address, at, 4, mask_bits(place, at, adjacent ? 1 : 4), dy, dx);
        if (gives_dresidual) write_dresidual(push.dresidual_first + address, dy, place.there);
        if (gives_dx) write_dx(push.dx_first + address, dx, place.there);
        address += sweep.next;
        at += sweep.next_value;
    }
    if (sweep.tail > 0) {
        gradients(place, scaling, of_q, address, at, sweep.tail, mask_bits(place, at, sweep.tail), dy, dx);
        if (gives_dresidual) write_dresidual(push.dresidual_first + address, dy, sweep.tail);
        if (gives_dx) write_dx(push.dx_first + address, dx, sweep.tail);
    }
}
