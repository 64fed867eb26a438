// How an invocation reads its strand: blocks of four values of one line, through a slice of a tensor.
//
// A line is one channel of one sample. Its values in the slice form a sequence, image after image, position after
// position. Block b holds the values 4b to 4b + 3. Strand s of a line has the blocks b = chunk * lanes * blocks + lane
// + i * lanes for i < blocks, with lane = s % lanes, chunk = s / lanes, lanes = 2^lane_bits; the last block may be
// short. What a strand holds does not depend on the form of access, nor on the workgroup.
//
// By the build: FORM, the way to the values of a block; GENERAL, whether a kernel has more than plain batch
// normalization needs (drivers that run both sides of a branch on a specialization constant would pay for it);
// SIXTEEN_BITS, the storage of tensors; TEXELS, how blocks are read and written.
#include "norm.h"

layout(local_size_x_id = 0) in;

const uint form_vectors = 0;  // positions adjacent, every block in one row and aligned to four elements
const uint form_rows = 1;     // positions adjacent
const uint form_columns = 2;  // channels adjacent, one position
const uint form = FORM;

// Where a strand stands.
struct Cursor {
    uint address;   // of the next block, in elements from the start of the slice
    uint position;  // of that element within its row; in columns the image
};

struct Strand {
    uint channel;
    uint index;   // among the strands of the line
    uint blocks;  // full ones
    uint tail;    // values in the short block that follows, 0 to 3
    uint value;   // the first, within the line
    Cursor start;
};

// Divisions are slow on CPU drivers: two of them, the rest by powers of two.
Strand strand_at(NormWalk walk, uint samp, uint work) {
    const uint lane_mask = (1u << walk.lane_bits) - 1;
    Strand strand;
    uint lane, chunk;
    if (form == form_columns) {
        strand.index = work / walk.inner;
        strand.channel = work - strand.index * walk.inner;
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
    strand.tail = next_is_short ? walk.values & 3 : 0;
    const uint value = block << 2;
    strand.value = value;
    const uint line = samp * walk.sample_pitch + strand.channel * walk.channel_pitch;
    if (form == form_columns) {
        strand.start = Cursor(line + value * walk.image_pitch, value);
        return strand;
    }
    const uint image = value / walk.span;
    strand.start.position = value - image * walk.span;
    strand.start.address = line + image * walk.image_pitch + strand.start.position;
    return strand;
}

void advance(NormWalk walk, inout Cursor cursor) {
    cursor.address += walk.step_address;
    cursor.position += walk.step_position;
    if (form == form_columns) return;
    const bool ends = cursor.position >= walk.span;
    cursor.position -= ends ? walk.span : 0;
    cursor.address += ends ? walk.image_pitch - walk.span : 0;
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
    if (form == form_columns) return cursor.address + uvec4(0, 1, 2, 3) * walk.image_pitch;
    uvec4 addresses;
    addresses.x = cursor.address;
    addresses.y = next_address(walk, cursor);
    addresses.z = next_address(walk, cursor);
    addresses.w = next_address(walk, cursor);
    return addresses;
}

#ifdef TEXELS
#include "norm_blocks_texels.glsl"
#else
#include "norm_blocks.glsl"
#endif

uint partial_of(NormStrands strands, uint samp, Strand strand) {
    return strands.first + samp * strands.sample_pitch + strand.channel * strands.pitch + strand.index;
}

uint invocations() { return gl_WorkGroupSize.x * gl_NumWorkGroups.x; }
