// Double backward: out = c.x + c.y * x^ + c.z * (dy - mean of dy) + c.w * (ddx - mean of ddx), c and means of the
// channel.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/sweep.glsl"

PUSH_CONSTANTS(NormCombine, push)

#define MEAN_BINDING 4
#define DEVIATION_BINDING 5
#include "norm/features.glsl"
#include "norm/scaling.glsl"

const bool needs_dy = (features & norm_dy) != 0;
const bool needs_ddx = (features & norm_ddx) != 0;

BLOCK_READER(x, 0)  // read_x
BLOCK_READER(dy, 1)  // read_dy
BLOCK_READER(ddx, 2)  // read_ddx
BLOCK_WRITER(out, 3)  // write_out, write_two_out
layout(std430, set = 0, binding = 6) readonly buffer Coefficients { vec4 coefficients[]; };
layout(std430, set = 0, binding = 7) readonly buffer DyMeans { float dy_means[]; };
layout(std430, set = 0, binding = 8) readonly buffer DdxMeans { float ddx_means[]; };

struct Combination {
    vec4 constant, of_x, of_dy, of_ddx;  // c.x to c.w, of each of four elements
    vec4 mean_dy, mean_ddx;
};

Combination combination_at(Place place) {
    Combination of_place;
    of_place.mean_dy = of_place.mean_ddx = vec4(0);
    for (uint k = 0; k < 4; ++k) {
        const uint channel = place.channels[k];
        const vec4 c = coefficients[push.coefficients_first + channel];
        of_place.constant[k] = c.x;
        of_place.of_x[k] = c.y;
        of_place.of_dy[k] = c.z;
        of_place.of_ddx[k] = c.w;
        if (needs_dy) of_place.mean_dy[k] = dy_means[push.dy_means_first + 2 * channel];
        if (needs_ddx) of_place.mean_ddx[k] = ddx_means[push.ddx_means_first + 2 * channel];
    }
    return of_place;
}

vec4 combined(Scaling scaling, Combination c, uint address, uint there) {
    precise const vec4 normalized = centred(scaling, read_x(push.x_first + address, there)) * scaling.inv_std;
    precise vec4 total = c.constant;
    if (needs_ddx) total += c.of_ddx * (read_ddx(push.ddx_first + address, there) - c.mean_ddx);
    if (needs_dy) total += c.of_dy * (read_dy(push.dy_first + address, there) - c.mean_dy);
    total += c.of_x * normalized;
    return total;
}

void main() {
    const NormWalk walk = push.walk;
    Place place;
    if (!find_place(walk, gl_GlobalInvocationID, place)) return;
    const Sweep sweep = sweep_of(walk, place, gl_GlobalInvocationID);
    const Scaling scaling = scaling_at(place);
    const Combination c = combination_at(place);
    uint address = sweep.address;
    for (uint pairs = sweep.pairs; pairs > 0; --pairs) {
        const uint next = address + sweep.next;
        write_two_out(push.out_first + address, push.out_first + next, combined(scaling, c, address, place.there),
                      combined(scaling, c, next, place.there), place.there);
        address += sweep.step;
    }
    if (sweep.single) {
        write_out(push.out_first + address, combined(scaling, c, address, place.there), place.there);
        address += sweep.next;
    }
    if (sweep.tail > 0)
        write_out(push.out_first + address, combined(scaling, c, address, sweep.tail), sweep.tail);
}
