// Tensors of float16 or bfloat16, as their bits: a block is two words, its first values in their lower halves.
#extension GL_EXT_shader_16bit_storage : require

layout(constant_id = 2) const bool bfloat16 = false;

#define stored uint16_t
#define stored_block uvec2
#define block_sampler usamplerBuffer
#define wide_block uint64_t

vec4 loaded_block(uvec2 words) {
    if (bfloat16) return uintBitsToFloat(uvec4(words.x << 16, words.x & 0xffff0000u, words.y << 16, words.y & 0xffff0000u));
    return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
}
vec4 loaded_block(uvec4 texel) { return loaded_block(texel.xy); }

// To the nearest, ties to even. A NaN stays one.
uvec2 stored_block_of(vec4 values) {
    if (!bfloat16) return uvec2(packHalf2x16(values.xy), packHalf2x16(values.zw));
    const uvec4 bits = floatBitsToUint(values);
    const uvec4 rounded = bits + 0x7fff + ((bits >> 16) & 1);
    const uvec4 upper = mix(rounded, bits | 0x400000u, greaterThan(bits & 0x7fffffffu, uvec4(0x7f800000u)));
    return (upper.xz >> 16) | (upper.yw & 0xffff0000u);
}

// Macros, because without 16-bit arithmetic this type lives in buffers only.
#define loaded(ELEMENT) loaded_block(uvec2(uint(ELEMENT), 0)).x
#define stored_of(VALUE) uint16_t(stored_block_of(vec4(VALUE, 0, 0, 0)).x)
