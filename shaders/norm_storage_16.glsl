// Tensors of float16 or bfloat16, as their bits.
#extension GL_EXT_shader_16bit_storage : require

layout(constant_id = 2) const bool bfloat16 = false;

#define stored uint16_t
#define stored_block u16vec4

vec4 loaded_bits(uvec4 bits) {
    if (bfloat16) return uintBitsToFloat(bits << 16);
    return vec4(unpackHalf2x16(bits.x | (bits.y << 16)), unpackHalf2x16(bits.z | (bits.w << 16)));
}

// To the nearest, ties to even. A NaN stays one.
uvec4 bits_of(vec4 values) {
    if (bfloat16) {
        const uvec4 bits = floatBitsToUint(values);
        const uvec4 rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        return mix(rounded, (bits >> 16) | 0x40, greaterThan(bits & 0x7fffffffu, uvec4(0x7f800000u)));
    }
    const uint low = packHalf2x16(values.xy);
    const uint high = packHalf2x16(values.zw);
    return uvec4(low & 0xffff, low >> 16, high & 0xffff, high >> 16);
}

// Macros, because without 16-bit arithmetic these types live in buffers only.
#define loaded(ELEMENT) loaded_bits(uvec4(uint(ELEMENT), 0, 0, 0)).x
#define loaded_block(ELEMENTS) loaded_bits(uvec4(ELEMENTS))
#define stored_of(VALUE) uint16_t(bits_of(vec4(VALUE, 0, 0, 0)).x)
#define stored_block_of(VALUES) u16vec4(bits_of(VALUES))
