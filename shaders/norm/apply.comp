// y = gamma * x^ + beta, and what may follow: + residual, ReLU.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/sweep.glsl"

PUSH_CONSTANTS(NormApply, push)

#define MEAN_BINDING 2
#define DEVIATION_BINDING 3
#define GAMMA_BINDING 4
#define BETA_BINDING 5
#define MASK_BINDING 7
#define VALID_BINDING 8
#include "norm/features.glsl"
#include "norm/scaling.glsl"

BLOCK_READER(x, 0)  // read_x
BLOCK_WRITER(y, 1)  // write_y, write_two_y
BLOCK_READER(residual, 6)  // read_residual

// Of four values at a place, the first of them value `at` of the sequence.
vec4 normalized(Place place, Scaling of_place, uint address, uint at, uint values) {
    const uint there = adjacent ? place.there : values;
    vec4 y = affine(scaling_of_value(of_place, at, values), read_x(push.x_first + address, there));
    if (has_residual) y += read_residual(push.residual_first + address, there);
    if (has_relu) y = relu(y);
    if (has_valid) y = mix(vec4(0), y, are_valid(values_at(push.walk, place, at), values));
    return y;
}

// Where the ReLU let through, NaN too: bits of four values along a row, or one in each of four channels.
uvec4 positive(vec4 y) { return mix(uvec4(1), uvec4(0), lessThanEqual(y, vec4(0))); }

// In the mask, of values along a row, from value `at` on.
void mark_row(Place place, uint at, uint bits) {
    let_through(push.mask, push.sets.first_channel + place.channels.x, values_at(push.walk, place, at).x, bits);
}

// The same of value `at` in each of four channels; `run` collects what follows each other there.
void mark_adjacent(Place place, Sweep sweep, uint at, uvec4 bits, inout uvec4 run) {
    if (!across) {
        run |= bits << (at - sweep.first);
        return;
    }
    if (of_a_row) {
        mark_row(place, at, bits_of_row(bits));
        return;
    }
    const uvec4 value = values_at(push.walk, place, at), channels = push.sets.first_channel + place.channels;
    for (uint k = 0; k < place.there; ++k) let_through(push.mask, channels[k], value[k], bits[k]);
}

void main() {
    const NormWalk walk = push.walk;
    Place place;
    if (!find_place(walk, gl_GlobalInvocationID, place)) return;
    const Sweep sweep = sweep_of(walk, place, gl_GlobalInvocationID);
    const Scaling scaling = scaling_at(place);
    uint address = sweep.address, at = sweep.first;
    uvec4 run = uvec4(0);
    for (uint pairs = sweep.pairs; pairs > 0; --pairs) {
        const vec4 y = normalized(place, scaling, address, at, 4);
        const vec4 next = normalized(place, scaling, address + sweep.next, at + sweep.next_value, 4);
        write_two_y(push.y_first + address, push.y_first + address + sweep.next, y, next, place.there);
        if (has_mask && adjacent) {
            mark_adjacent(place, sweep, at, positive(y), run);
            mark_adjacent(place, sweep, at + 1, positive(next), run);
        } else if (has_mask) {
            mark_row(place, at, bits_of_row(positive(y)) | bits_of_row(positive(next)) << 4);
        }
        address += sweep.step;
        at += sweep.value_step;
    }
    if (sweep.single) {
        const vec4 y = normalized(place, scaling, address, at, 4);
        write_y(push.y_first + address, y, place.there);
        if (has_mask && adjacent) mark_adjacent(place, sweep, at, positive(y), run);
        else if (has_mask) mark_row(place, at, bits_of_row(positive(y)));
        address += sweep.next;
        at += sweep.next_value;
    }
    if (sweep.tail > 0) {
        const vec4 y = normalized(place, scaling, address, at, sweep.tail);
        write_y(push.y_first + address, y, sweep.tail);
        if (has_mask) mark_row(place, at, bits_of_row(mix(uvec4(0), positive(y), held(sweep.tail))));
    }
    if (has_mask && adjacent && !across) {
        const uvec4 value = values_at(walk, place, sweep.first);
        for (uint k = 0; k < place.there; ++k)
            let_through(push.mask, push.sets.first_channel + place.channels[k], value[k], run[k]);
    }
}
