// How the four values of a block are read and written: in buffers or, with TEXELS, read as texels, which lavapipe turns
// into the fewest instructions; written as vectors or, with WIDE, as integers of 64 bits, which are fewer again. All
// declarations of a binding name the same memory; the walk says which one is used. Addresses are those of walk.glsl, and
// `there` is how many of the four values there are.

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

#ifdef TEXELS
#define BLOCK_READER(NAME, BINDING)                                                       \
    layout(set = 0, binding = BINDING) uniform block_sampler NAME##_texels;               \
    vec4 read_##NAME(uint at, uint there) { return loaded_block(texelFetch(NAME##_texels, int(at))); }
#else
#define BLOCK_READER(NAME, BINDING)                                                                              \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Vectors { stored_block NAME##_vectors[]; }; \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Scalars { stored NAME##_scalars[]; };       \
    vec4 read_##NAME(uint at, uint there) {                                                                      \
        if (aligned) return loaded_block(NAME##_vectors[at]);                                                    \
        const uvec4 all = at + min(uvec4(0, 1, 2, 3), uvec4(there - 1));                                         \
        return vec4(loaded(NAME##_scalars[all.x]), loaded(NAME##_scalars[all.y]),                                \
                    loaded(NAME##_scalars[all.z]), loaded(NAME##_scalars[all.w]));                               \
    }
#endif

// write_two: blocks that may be adjacent, and aligned as one.
#ifdef WIDE
#define PAIR_WRITER(NAME, BINDING)                                                                                 \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Pairs { written_pair NAME##_pairs[]; };     \
    void write_two_##NAME(uint at, uint next, vec4 block, vec4 next_block, uint there) {                          \
        if (paired) {                                                                                             \
            NAME##_pairs[at >> 1] = written_pair(written_of(block), written_of(next_block));                      \
            return;                                                                                               \
        }                                                                                                         \
        write_##NAME(at, block, there);                                                                           \
        write_##NAME(next, next_block, there);                                                                    \
    }
#else
#define PAIR_WRITER(NAME, BINDING)                                                       \
    void write_two_##NAME(uint at, uint next, vec4 block, vec4 next_block, uint there) { \
        write_##NAME(at, block, there);                                                  \
        write_##NAME(next, next_block, there);                                           \
    }
#endif

#define BLOCK_WRITER(NAME, BINDING)                                                                                \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Vectors { written_block NAME##_vectors[]; }; \
    layout(std430, set = 0, binding = BINDING) writeonly buffer NAME##Scalars { stored NAME##_scalars[]; };        \
    void write_##NAME(uint at, vec4 block, uint there) {                                                           \
        if (aligned) {                                                                                             \
            NAME##_vectors[at] = written_of(block);                                                                \
            return;                                                                                                \
        }                                                                                                          \
        NAME##_scalars[at] = stored_of(block.x);                                                                   \
        if (there > 1) NAME##_scalars[at + 1] = stored_of(block.y);                                                \
        if (there > 2) NAME##_scalars[at + 2] = stored_of(block.z);                                                \
        if (there > 3) NAME##_scalars[at + 3] = stored_of(block.w);                                                \
    }                                                                                                              \
    PAIR_WRITER(NAME, BINDING)

// Numbers of channels, positions or sets: one, or those of four values; with norm_side_by_side these are adjacent, and
// aligned as blocks are.
#ifdef TEXELS
#define NUMBER_READER(NAME, BINDING)                                                                \
    layout(set = 0, binding = BINDING) uniform isamplerBuffer NAME##_texels;                        \
    layout(set = 0, binding = BINDING) uniform samplerBuffer NAME##_fours;                          \
    float read_one_##NAME(uint at) { return intBitsToFloat(texelFetch(NAME##_texels, int(at)).x); } \
    vec4 read_adjacent_##NAME(uint at) { return texelFetch(NAME##_fours, int(at >> 2)); }           \
    FOUR_READER(NAME)
#else
#define NUMBER_READER(NAME, BINDING)                                                                          \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Scalars { float NAME##_scalars[]; };     \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Fours { vec4 NAME##_fours[]; };          \
    float read_one_##NAME(uint at) { return NAME##_scalars[at]; }                                             \
    vec4 read_adjacent_##NAME(uint at) { return NAME##_fours[at >> 2]; }                                      \
    FOUR_READER(NAME)
#endif
#define FOUR_READER(NAME)                                                           \
    vec4 read_four_##NAME(uvec4 at) {                                               \
        if (side_by_side) return read_adjacent_##NAME(at.x);                        \
        return vec4(read_one_##NAME(at.x), read_one_##NAME(at.y), read_one_##NAME(at.z), read_one_##NAME(at.w)); \
    }
