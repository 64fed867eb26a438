// How an invocation reads its strand: blocks of four values of one channel, through a slice of a tensor. The words are
// drawn in engine/ops/norm/plan.hpp.
//
// Block b of a channel holds the values 4b to 4b + 3 of its sequence. Strand s has the blocks b = chunk * lanes * blocks + lane
// + i * lanes for i < blocks, with lane = s % lanes, chunk = s / lanes, lanes = 2^lane_bits; the last block may be
// short. What a strand holds does not depend on the form of access, nor on the workgroup.
//
// A sweep, which gives every value a new one, keeps no partial result and has longer strands. In quads it owns four
// adjacent elements of an image, of whatever channels, in a run of images; see norm/quads.glsl.
//
// By the build: FORM, the way to the values of a block; SIXTEEN_BITS, the storage of tensors; TEXELS, how blocks are read.
#include "norm.h"

layout(local_size_x_id = 0) in;

#define form_vectors 0  // positions adjacent, every block in one row and aligned to four elements
#define form_rows 1     // positions adjacent
#define form_columns 2  // channels adjacent, one position
#define form_quads 3    // four adjacent elements of an image, aligned to four
const uint form = FORM;
const bool adjacent_channels = form == form_columns || form == form_quads;
const uint width = form == form_quads ? 4 : 1;  // channels that an invocation owns at once

// Where a strand stands. In vectors and quads addresses, positions and pitches count blocks, not elements: no shift is
// left to the loops, which SwiftShader would do lane by lane.
struct Cursor {
    uint address;   // of the next block, from the start of the slice
    uint position;  // of its first value within its row; in columns the image
};

struct Strand {
    uint channel;
    uint index;   // among the strands of the channel
    uint blocks;  // full ones
    uint tail;    // values in the short block that follows, 0 to 3
    uint value;   // the first, within the channel
    Cursor start;
};

#if FORM == form_quads && defined(SWEEP)
#include "norm/quads.glsl"
#else
// Divisions are slow on CPU drivers: two of them, the rest by powers of two.
Strand strand_at(NormWalk walk, uint samp, uint work) {
    const uint lane_mask = (1u << walk.lane_bits) - 1;
    Strand strand;
    uint lane, chunk;
    if (adjacent_channels) {
        strand.index = work / walk.inner;
        strand.channel = (work - strand.index * walk.inner) * width;
        lane = strand.index & lane_mask;
        chunk = strand.index >> walk.lane_bits;
    } else {
        lane = work & lane_mask;
        const uint row = work >> walk.lane_bits;
        const uint outer = row / walk.inner;
        const uint inner = row - outer * walk.inner;
        chunk = walk.chunks_inner == 1 ? inner : outer;
        strand.channel = walk.chunks_inner == 1 ? outer : inner;
        strand.index = (chunk << walk.lane_bits) + lane;
    }
    const uint block = ((chunk * walk.blocks) << walk.lane_bits) + lane;
    const uint full = walk.values >> 2;
    strand.blocks = full > block ? min((full - block + lane_mask) >> walk.lane_bits, walk.blocks) : 0;
    const bool next_is_short = strand.blocks < walk.blocks && block + (strand.blocks << walk.lane_bits) == full;
    strand.tail = form != form_vectors && next_is_short ? walk.values & 3 : 0;
    const uint value = block << 2;
    strand.value = value;
    const uint channel_start = samp * walk.sample_pitch + strand.channel / width * walk.channel_pitch;
    if (adjacent_channels) {
        strand.start = Cursor(channel_start + value * walk.image_pitch, value);
        return strand;
    }
    const uint at = form == form_vectors ? block : value;
    const uint image = at / walk.span;
    strand.start.position = at - image * walk.span;
    strand.start.address = channel_start + image * walk.image_pitch + strand.start.position;
    return strand;
}

void advance(NormWalk walk, inout Cursor cursor) {
    cursor.address += walk.step_address;
    cursor.position += walk.step_position;
    if (adjacent_channels) return;
    const bool ends = cursor.position >= walk.span;
    cursor.position -= ends ? walk.span : 0;
    cursor.address += ends ? walk.image_pitch - walk.span : 0;
}

#endif

// The block at the cursor is the next one's to leave behind.
Cursor stepped(NormWalk walk, inout Cursor cursor) {
    const Cursor here = cursor;
    advance(walk, cursor);
    return here;
}

// The address of the value after the one at the cursor.
uint next_address(NormWalk walk, inout Cursor cursor) {
    ++cursor.position;
    const bool ends = cursor.position == walk.span;
    cursor.position = ends ? 0 : cursor.position;
    cursor.address += ends ? walk.image_pitch - walk.span + 1 : 1;
    return cursor.address;
}

// Addresses of the four values of the block.
uvec4 block_addresses(NormWalk walk, Cursor cursor) {
    if (adjacent_channels) return cursor.address + uvec4(0, 1, 2, 3) * walk.image_pitch;
    uvec4 addresses;
    addresses.x = cursor.address;
    addresses.y = next_address(walk, cursor);
    addresses.z = next_address(walk, cursor);
    addresses.w = next_address(walk, cursor);
    return addresses;
}

#ifdef SIXTEEN_BITS
#include "norm/storage_16.glsl"
#else
#include "norm/storage_32.glsl"
#endif

#ifdef TEXELS
#include "norm/blocks_texels.glsl"
#else
#include "norm/blocks.glsl"
#endif

uint partial_of(NormStrands strands, uint samp, Strand strand) {
    return strands.first + samp * strands.sample_pitch + strand.channel * strands.pitch + strand.index;
}

uint invocations() { return gl_WorkGroupSize.x * gl_NumWorkGroups.x; }
