// Where an invocation stands in a slice of a tensor, and what it reads from there. The words are drawn in
// engine/ops/norm/plan.hpp.
//
// A strand is a sequence of blocks of four values of one channel, `lanes` = 2^lane_bits blocks apart: strand s has the
// blocks chunk * lanes * blocks + lane + i * lanes for i < blocks, with lane = s % lanes and chunk = s / lanes, of a row
// or, with norm_across, of one position in all images; the last block may be short. What a strand holds does not depend
// on how it is reached:
//
//   along a row   A block is four adjacent elements.                x: strands, y: channel, z: image
//   whole rows    The same, and a row is one strand.                x: channel, z: image
//   adjacent      A block is four elements value_pitch apart, and   x: four elements, y: strand, z: image or position
//                 an invocation has four strands side by side.
//
// A sweep, which gives every value a new one, has no strands: see norm/sweep.glsl.
//
// By the build: SIXTEEN_BITS, the storage of tensors; TEXELS, how blocks are read; WIDE, how they are written.
#include "norm.h"

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 5) const uint walks = 0;

const bool aligned = (walks & norm_aligned) != 0;
const bool adjacent = (walks & norm_adjacent) != 0;
const bool split = (walks & norm_split) != 0;
const bool across = (walks & norm_across) != 0;
const bool whole_rows = (walks & norm_whole_rows) != 0;
const bool ghosts = (walks & norm_ghosts) != 0;
const bool side_by_side = (walks & norm_side_by_side) != 0;
const bool paired = (walks & norm_paired) != 0;
const bool of_a_row = (walks & norm_of_a_row) != 0;

// Does what is said for each element that an invocation has. There is no loop, so that arrays need no memory.
#define EACH_ELEMENT(ACT) \
    ACT(0)                \
    if (adjacent) {       \
        ACT(1)            \
        ACT(2)            \
        ACT(3)            \
    }

struct Place {
    uint samp, row;   // what z counts within the sample
    uvec4 channels;   // of the slice, that of each of four adjacent elements
    uvec4 positions;  // where split
    uint there;       // how many of the four are in the image
    uint address;     // of the row's first value, or that of the first element, from the start of the slice
};

// Integer division is slow on CPUs: a rounded quotient is off by one at most where it is below 2^22.
uvec4 divided(uvec4 dividend, uint divisor, out uvec4 rest) {
    const uvec4 near = uvec4(vec4(dividend) / float(divisor));
    const ivec4 left = ivec4(dividend - near * divisor);
    const bvec4 below = lessThan(left, ivec4(0)), above = greaterThanEqual(left, ivec4(divisor));
    const uvec4 quotient = near - uvec4(below) + uvec4(above);
    rest = dividend - quotient * divisor;
    return quotient;
}

// False where there is nothing for the invocation.
bool find_place(NormWalk walk, uvec3 work, out Place place) {
    place.samp = place.row = work.z;
    if (ghosts) {
        place.samp = work.z / walk.z_of_sample;
        place.row = work.z - place.samp * walk.z_of_sample;
    }
    place.address = place.samp * walk.sample_pitch + place.row * walk.z_pitch;
    place.positions = uvec4(0);
    place.there = 4;
    if (adjacent) {
        const uint element = 4 * work.x;
        place.address += aligned ? work.x : element;
        place.there = aligned ? 4 : min(walk.width - element, 4);
        // What is not there is anything that is.
        place.channels = element + (aligned ? uvec4(0, 1, 2, 3) : min(uvec4(0, 1, 2, 3), uvec4(place.there - 1)));
        if (split) place.channels = divided(place.channels, walk.positions, place.positions);
        return element < walk.width && work.y < walk.height;
    }
    const uint channel = whole_rows ? work.x : work.y;
    place.channels = uvec4(channel);
    place.address += channel * (aligned ? walk.positions >> 2 : walk.positions);
    return work.x < walk.width && work.y < walk.height;
}

struct Strand {
    uint blocks;   // full ones
    uint tail;     // values in the short block that follows, 0 to 3
    uint first;    // value of the sequence
    uint address;  // of that
};

// Strand s of a row of a place.
Strand strand_of(NormWalk walk, Place place, uint s) {
    const uint lane_mask = (1u << walk.lane_bits) - 1;
    const uint lane = s & lane_mask, chunk = s >> walk.lane_bits;
    const uint block = ((chunk * walk.blocks) << walk.lane_bits) + lane, full = walk.values >> 2;
    Strand strand;
    strand.blocks = full > block ? min((full - block + lane_mask) >> walk.lane_bits, walk.blocks) : 0;
    const bool next_is_short = strand.blocks < walk.blocks && block + (strand.blocks << walk.lane_bits) == full;
    strand.tail = next_is_short && (adjacent || !aligned) ? walk.values & 3 : 0;
    strand.first = 4 * block;
    strand.address = place.address + (adjacent ? strand.first * walk.value_pitch : aligned ? block : strand.first);
    return strand;
}

// The strand of its row that an invocation has.
uint strand_at(uvec3 work) { return adjacent ? work.y : whole_rows ? 0 : work.x; }

// From a block of a strand to its next: in addresses, and in values of the sequence.
uint block_pitch(NormWalk walk) {
    return (adjacent ? 4 * walk.value_pitch : aligned ? 1 : 4) << walk.lane_bits;
}
uint block_step(NormWalk walk) { return 4 << walk.lane_bits; }

// The number of a value among those of its channel, for each of four adjacent elements: of value `at` of the sequence, or,
// along a row, of the four from there on.
uvec4 values_at(NormWalk walk, Place place, uint at) {
    if (across) return walk.value_first + at * walk.positions + (split ? place.positions : uvec4(place.row));
    const uint value = walk.value_first + place.row * walk.positions + at;
    return adjacent ? uvec4(value) : value + uvec4(0, 1, 2, 3);
}

// Where the partial of an element's strand goes.
uint partial_of(NormStrands strands, Place place, uint s, uint element) {
    return strands.first + place.samp * strands.sample_pitch + place.channels[element] * strands.pitch +
           place.row * strands.z_pitch + place.positions[element] * strands.position_pitch + s;
}

#ifdef SIXTEEN_BITS
#include "norm/storage_16.glsl"
#else
#include "norm/storage_32.glsl"
#endif
#include "norm/tensors.glsl"
