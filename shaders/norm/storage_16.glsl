// Tensors of float16 or bfloat16, as their bits: a block is two words, its first values in their lower halves.
#extension GL_EXT_shader_16bit_storage : require

layout(constant_id = 2) const bool bfloat16 = false;

#define stored uint16_t
#define stored_block uvec2
#define block_sampler usamplerBuffer
#define wide_block uint64_t
#define written_pair u64vec2

vec4 loaded_block(uvec2 words) {
    if (bfloat16) return uintBitsToFloat(uvec4(words.x << 16, words.x & 0xffff0000u, words.y << 16, words.y & 0xffff0000u));
    return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
}
vec4 loaded_block(uvec4 texel) { return loaded_block(texel.xy); }

// Two values in a word, of those in the lower halves of `rounded`. What is NaN becomes `nan`, at last: else LLVM would leave
// the rest to lavapipe's loop over the lanes of a store.
uvec2 joined(uvec4 bits, uvec4 rounded, uint nan) {
    const bvec4 is_nan = greaterThan(bits & 0x7fffffffu, uvec4(0x7f800000u));
    uvec2 words = rounded.xz | (rounded.yw << 16);
    words = mix(words, (words & 0xffff0000u) | nan, is_nan.xz);
    return mix(words, (words & 0xffffu) | (nan << 16), is_nan.yw);
}

// Counts units of the last place by an addition that rounds as it should: they are those of the smallest normal number at
// least, and of the first number that is too large at most.
uvec4 float16_of(uvec4 bits) {
    const uvec4 magnitude = min(bits & 0x7fffffffu, uvec4(0x47800000u));
    const uvec4 power = max(magnitude & 0x7f800000u, uvec4(0x38800000u));
    const uvec4 units = power + (13u << 23);
    precise const vec4 sum = uintBitsToFloat(magnitude) + uintBitsToFloat(units);
    return (((power >> 13) - (113u << 10)) + (floatBitsToUint(sum) - units)) | ((bits >> 16) & 0x8000u);
}

// To the nearest, ties to even. A NaN stays one.
uvec2 stored_block_of(vec4 values) {
    const uvec4 bits = floatBitsToUint(values);
    if (bfloat16) return joined(bits, (bits + 0x7fff + ((bits >> 16) & 1)) >> 16, 0x7fc0);
#ifdef TEXELS
    return joined(bits, float16_of(bits), 0x7e00);  // a third of lavapipe's packHalf2x16
#else
    return uvec2(packHalf2x16(values.xy), packHalf2x16(values.zw));
#endif
}

// Macros, because without 16-bit arithmetic this type lives in buffers only.
#define loaded(ELEMENT) loaded_block(uvec2(uint(ELEMENT), 0)).x
#define stored_of(VALUE) uint16_t(stored_block_of(vec4(VALUE, 0, 0, 0)).x)
