// How an invocation reads its strand: blocks of four values of one channel, through a slice of a tensor.
//
// The values of a channel in the slice form a sequence, image after image, position after position. Block b holds the
// values 4b to 4b + 3. Strand s of a channel has the blocks b = chunk * lanes * blocks + lane + i * lanes for
// i < blocks, with lane = s % lanes and chunk = s / lanes; the last block may be short. What a strand holds does not
// depend on the form of access, nor on the workgroup.
#include "batch_norm.h"

layout(local_size_x_id = 0) in;

const uint form_vectors = 0;  // positions adjacent, every block in one row and aligned to four elements
const uint form_rows = 1;     // positions adjacent
const uint form_columns = 2;  // channels adjacent, one position
layout(constant_id = 1) const uint form = form_rows;

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

Strand strand_at(BatchNormWalk walk, uint work) {
    Strand strand;
    uint lane, chunk;
    if (form == form_columns) {
        strand.channel = work % walk.channels;
        strand.index = work / walk.channels;
        lane = strand.index % walk.lanes;
        chunk = strand.index / walk.lanes;
    } else {
        lane = work % walk.lanes;
        const uint row = work / walk.lanes;
        strand.channel = row % walk.channels;
        chunk = row / walk.channels;
        strand.index = chunk * walk.lanes + lane;
    }
    const uint block = chunk * walk.lanes * walk.blocks + lane;
    const uint full = walk.values / 4;
    strand.blocks = full > block ? min((full - block + walk.lanes - 1) / walk.lanes, walk.blocks) : 0;
    strand.tail =
        strand.blocks < walk.blocks && block + strand.blocks * walk.lanes == full ? walk.values % 4 : 0;
    const uint image = 4 * block / walk.span;
    strand.start.position = 4 * block - image * walk.span;
    strand.start.address = strand.channel * walk.channel_pitch + image * walk.image_pitch + strand.start.position;
    return strand;
}

void advance(BatchNormWalk walk, inout Cursor cursor) {
    cursor.address += walk.step_address;
    if (form == form_columns) return;
    cursor.position += walk.step_position;
    if (cursor.position >= walk.span) {
        cursor.position -= walk.span;
        cursor.address += walk.image_pitch - walk.span;
    }
}

// Addresses of the four values of the block.
uvec4 block_addresses(BatchNormWalk walk, Cursor cursor) {
    if (form == form_columns) return cursor.address + uvec4(0, 1, 2, 3) * walk.image_pitch;
    uvec4 addresses;
    uint position = cursor.position;
    uint address = cursor.address;
    for (uint i = 0; i < 4; ++i) {
        addresses[i] = address++;
        if (++position == walk.span) {
            position = 0;
            address += walk.image_pitch - walk.span;
        }
    }
    return addresses;
}

// The tensors of a kernel. Both declarations of a binding name the same memory; `form` says which one is used.
#define BLOCK_READER(NAME, BINDING)                                                                        \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Vectors { vec4 NAME##_vectors[]; };   \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Scalars { float NAME##_scalars[]; };  \
    vec4 read_##NAME(BatchNormWalk walk, uint first, Cursor cursor) {                                      \
        if (form == form_vectors) return NAME##_vectors[(first + cursor.address) / 4];                     \
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
            NAME##_vectors[(first + cursor.address) / 4] = block;                                          \
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
