// Tensors of float32 whose blocks are read as texels, and written as pairs of 64 bits: the forms that lavapipe turns into
// the fewest instructions. Blocks are aligned and whole.
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require

#define BLOCK_READER(NAME, BINDING)                                                                \
    layout(set = 0, binding = BINDING) uniform samplerBuffer NAME##_texels;                        \
    vec4 read_##NAME(NormWalk walk, uint first, Cursor cursor) {                                   \
        return texelFetch(NAME##_texels, int((first + cursor.address) >> 2));                      \
    }                                                                                              \
    vec4 read_tail_##NAME(NormWalk walk, uint first, Cursor cursor, uint values) { return vec4(0); }

#define BLOCK_WRITER(NAME, BINDING)                                                                       \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Pairs { u64vec2 NAME##_pairs[]; };  \
    void write_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block) {                             \
        const uvec4 bits = floatBitsToUint(block);                                                        \
        NAME##_pairs[(first + cursor.address) >> 2] = u64vec2(packUint2x32(bits.xy), packUint2x32(bits.zw)); \
    }                                                                                                     \
    void write_tail_##NAME(NormWalk walk, uint first, Cursor cursor, vec4 block, uint values) {}
