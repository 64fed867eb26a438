// Tensors whose blocks are read as texels, the form that lavapipe turns into the fewest instructions. Blocks are
// aligned and whole.

#define BLOCK_READER(NAME, BINDING)                                          \
    layout(set = 0, binding = BINDING) uniform block_sampler NAME##_texels;  \
    vec4 read_##NAME(NormWalk walk, uint first, Cursor cursor) {             \
        return loaded_block(texelFetch(NAME##_texels, int(first + cursor.address))); \
    }                                                                        \
    vec4 read_tail_##NAME(NormWalk walk, uint first, Cursor cursor, uint values) { return vec4(0); }

#define BLOCK_WRITER(NAME, BINDING)                                                                     \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Vectors { stored_block NAME##_vectors[]; }; \
    void write_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block) {                           \
        NAME##_vectors[first + cursor.address] = stored_block_of(block);                                          \
    }                                                                                                   \
    void write_tail_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block, uint values) {}
