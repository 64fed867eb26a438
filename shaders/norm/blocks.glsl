// Blocks of tensors in storage buffers. Both declarations of a binding name the same memory; the form says which one is
// used.

#define BLOCK_READER(NAME, BINDING)                                                                            \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Vectors { stored_block NAME##_vectors[]; }; \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Scalars { stored NAME##_scalars[]; };     \
    vec4 read_##NAME(NormWalk walk, uint first, Cursor cursor) {                                               \
        if (form == form_vectors || form == form_quads) return loaded_block(NAME##_vectors[first + cursor.address]);          \
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
        if (form == form_vectors || form == form_quads) {                                                                             \
            NAME##_vectors[first + cursor.address] = stored_block_of(block);                              \
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
