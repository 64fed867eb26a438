// Tensors whose blocks are read as texels, the form that lavapipe turns into the fewest instructions. Blocks are
// aligned and whole. By the build: WIDE, they are written as integers of 64 bits: fewer instructions again, which some
// CPUs run faster and others slower.

#ifdef WIDE
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
uint64_t wide(uvec2 words) { return packUint2x32(words); }
u64vec2 wide(vec4 values) { return u64vec2(wide(floatBitsToUint(values.xy)), wide(floatBitsToUint(values.zw))); }
#define written_block wide_block
#define written_of(VALUES) wide(stored_block_of(VALUES))
#else
#define written_block stored_block
#define written_of(VALUES) stored_block_of(VALUES)
#endif

#define BLOCK_READER(NAME, BINDING)                                          \
    layout(set = 0, binding = BINDING) uniform block_sampler NAME##_texels;  \
    vec4 read_##NAME(NormWalk walk, uint first, Cursor cursor) {             \
        return loaded_block(texelFetch(NAME##_texels, int(first + cursor.address))); \
    }                                                                        \
    vec4 read_tail_##NAME(NormWalk walk, uint first, Cursor cursor, uint values) { return vec4(0); }

#define BLOCK_WRITER(NAME, BINDING)                                                                     \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Vectors { written_block NAME##_vectors[]; }; \
    void write_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block) {                           \
        NAME##_vectors[first + cursor.address] = written_of(block);                                          \
    }                                                                                                   \
    void write_tail_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block, uint values) {}
