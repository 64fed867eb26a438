// How an invocation reads its strand: blocks of four values of one line, through a slice of a tensor.
//
// A line is one channel of one sample. Its values in the slice form a sequence, image after image, position after
// position. Block b holds the values 4b to 4b + 3. Strand s of a line has the blocks b = chunk * lanes * blocks + lane
// + i * lanes for i < blocks, with lane = s % lanes, chunk = s / lanes, lanes = 2^lane_bits; the last block may be
// short. What a strand holds does not depend on the form of access, nor on the workgroup.
//
// By the build: FORM, the way to the values of a block; GENERAL, whether a kernel has more than plain batch
// normalization needs (drivers that run both sides of a branch on a specialization constant would pay for it);
// SIXTEEN_BITS, the storage of tensors.
#include "norm.h"

#ifdef SIXTEEN_BITS
#include "norm_storage_16.glsl"
#else
#include "norm_storage_32.glsl"
#endif

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

// The values of the blocks of a tensor.
#define BLOCK_READER(NAME, BINDING)                                                                            \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Vectors { stored_block NAME##_vectors[]; }; \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Scalars { stored NAME##_scalars[]; };     \
    vec4 read_##NAME(NormWalk walk, uint first, Cursor cursor) {                                               \
        if (form == form_vectors) return loaded_block(NAME##_vectors[(first + cursor.address) >> 2]);          \
        const uvec4 at = first + block_addresses(walk, cursor);                                                \
        return vec4(loaded(NAME##_scalars[at.x]), loaded(NAME##_scalars[at.y]), loaded(NAME##_scalars[at.z]),  \
                    loaded(NAME##_scalars[at.w]));                                                             \
    }                                                                                                          \
    vec4 read_tail_##NAME(NormWalk walk, uint first, Cursor cursor, uint values) {                             \
        const uvec4 at = first + block_addresses(walk, cursor);                                                \
        vec4 block = vec4(loaded(NAME##_scalars[at.x]), 0, 0, 0);                                              \
        if (values > 1) block.y = loaded(NAME##_scalars[at.y]);                                                \
        if (values > 2) block.z = loaded(NAME##_scalars[at.z]);                                                \
        return block;                                                                                          \
    }

#define BLOCK_WRITER(NAME, BINDING)                                                                             \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Vectors { stored_block NAME##_vectors[]; }; \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Scalars { stored NAME##_scalars[]; };     \
    void write_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block) {                                   \
        if (form == form_vectors) {                                                                             \
            NAME##_vectors[(first + cursor.address) >> 2] = stored_block_of(block);                              \
            return;                                                                                             \
        }                                                                                                       \
        const uvec4 at = first + block_addresses(walk, cursor);                                                 \
        NAME##_scalars[at.x] = stored_of(block.x);                                                              \
        NAME##_scalars[at.y] = stored_of(block.y);                                                              \
        NAME##_scalars[at.z] = stored_of(block.z);                                                              \
        NAME##_scalars[at.w] = stored_of(block.w);                                                              \
    }                                                                                                           \
    void write_tail_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block, uint values) {                 \
        const uvec4 at = first + block_addresses(walk, cursor);                                                 \
        NAME##_scalars[at.x] = stored_of(block.x);                                                              \
        if (values > 1) NAME##_scalars[at.y] = stored_of(block.y);                                              \
        if (values > 2) NAME##_scalars[at.z] = stored_of(block.z);                                              \
    }

uint partial_of(NormStrands strands, uint samp, Strand strand) {
    return strands.first + samp * strands.sample_pitch + strand.channel * strands.pitch + strand.index;
}

uint invocations() { return gl_WorkGroupSize.x * gl_NumWorkGroups.x; }
