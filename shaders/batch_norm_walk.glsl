// How an invocation reads its strand: blocks of four values of one channel, through a slice of a tensor.
//
// The values of a channel in the slice form a sequence, image after image, position after position. Block b holds the
// values 4b to 4b + 3. Strand s of a channel has the blocks b = chunk * lanes * blocks + lane + i * lanes for
// i < blocks, with lane = s % lanes, chunk = s / lanes, lanes = 2^lane_bits; the last block may be short. What a strand holds does not
// depend on the form of access, nor on the workgroup.
#include "batch_norm.h"

layout(local_size_x_id = 0) in;

const uint form_vectors = 0;  // positions adjacent, every block in one row and aligned to four elements
const uint form_rows = 1;     // positions adjacent
const uint form_columns = 2;  // channels adjacent, one position
const uint form = FORM;  // by the build: one module each

// Where a strand stands.
struct Cursor {
    uint address;   // of the next block, in elements from the start of the slice
    uint position;  // of that element within its row
};

struct Strand {
    uint channel;
    uint index;   // among the strands of the channel
    uint blocks;  // full ones
    uint tail;    // values in the short block that follows, 0 to 3
    Cursor start;
};

// Divisions are slow on CPU drivers: two of them, the rest by powers of two.
Strand strand_at(BatchNormWalk walk, uint work) {
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
    const uint image = value / walk.span;
    strand.start.position = value - image * walk.span;
    strand.start.address = strand.channel * walk.channel_pitch + image * walk.image_pitch + strand.start.position;
    return strand;
}

void advance(BatchNormWalk walk, inout Cursor cursor) {
    cursor.address += walk.step_address;
    if (form == form_columns) return;
    cursor.position += walk.step_position;
    const bool ends = cursor.position >= walk.span;
    cursor.position -= ends ? walk.span : 0;
    cursor.address += ends ? walk.image_pitch - walk.span : 0;
}

// The address of the value after the one at the cursor.
uint next_address(BatchNormWalk walk, inout Cursor cursor) {
    ++cursor.position;
    const bool ends = cursor.position == walk.span;
    cursor.position = ends ? 0 : cursor.position;
    cursor.address += ends ? walk.image_pitch - walk.span + 1 : 1;
    return cursor.address;
}

// Addresses of the four values of the block.
uvec4 block_addresses(BatchNormWalk walk, Cursor cursor) {
    if (form == form_columns) return cursor.address + uvec4(0, 1, 2, 3) * walk.image_pitch;
    uvec4 addresses;
    addresses.x = cursor.address;
    addresses.y = next_address(walk, cursor);
    addresses.z = next_address(walk, cursor);
    addresses.w = next_address(walk, cursor);
    return addresses;
}

// The tensors of a kernel. Both declarations of a binding name the same memory; the form says which one is used.
#define BLOCK_READER(NAME, BINDING)                                                                        \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Vectors { vec4 NAME##_vectors[]; };   \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Scalars { float NAME##_scalars[]; };  \
    vec4 read_##NAME(BatchNormWalk walk, uint first, Cursor cursor) {                                      \
        if (form == form_vectors) return NAME##_vectors[(first + cursor.address) >> 2];                     \
        const uvec4 at = first + block_addresses(walk, cursor);                                            \
        return vec4(NAME##_scalars[at.x], NAME##_scalars[at.y], NAME##_scalars[at.z], NAME##_scalars[at.w]); \
    }                                                                                                      \
    vec4 read_tail_##NAME(BatchNormWalk walk, uint first, Cursor cursor, uint values) {                    \
        const uvec4 at = first + block_addresses(walk, cursor);                                            \
        vec4 block = vec4(NAME##_scalars[at.x], 0, 0, 0);                                                  \
        if (values > 1) block.y = NAME##_scalars[at.y];                                                    \
        if (values > 2) block.z = NAME##_scalars[at.z];                                                    \
        return block;                                                                                      \
    }

#define BLOCK_WRITER(NAME, BINDING)                                                                        \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Vectors { vec4 NAME##_vectors[]; };  \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Scalars { float NAME##_scalars[]; }; \
    void write_##NAME(BatchNormWalk walk, uint first, Cursor cursor, vec4 block) {                         \
        if (form == form_vectors) {                                                                        \
            NAME##_vectors[(first + cursor.address) >> 2] = block;                                          \
            return;                                                                                        \
        }                                                                                                  \
        const uvec4 at = first + block_addresses(walk, cursor);                                            \
        NAME##_scalars[at.x] = block.x;                                                                    \
        NAME##_scalars[at.y] = block.y;                                                                    \
        NAME##_scalars[at.z] = block.z;                                                                    \
        NAME##_scalars[at.w] = block.w;                                                                    \
    }                                                                                                      \
    void write_tail_##NAME(BatchNormWalk walk, uint first, Cursor cursor, vec4 block, uint values) {       \
        const uvec4 at = first + block_addresses(walk, cursor);                                            \
        NAME##_scalars[at.x] = block.x;                                                                    \
        if (values > 1) NAME##_scalars[at.y] = block.y;                                                    \
        if (values > 2) NAME##_scalars[at.z] = block.z;                                                    \
    }

uint invocations() { return gl_WorkGroupSize.x * gl_NumWorkGroups.x; }
