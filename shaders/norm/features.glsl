// What the kernel has to do, fixed when its pipeline is made; see norm.h.

layout(constant_id = 4) const uint features = norm_gamma | norm_beta;

const bool has_gamma = (features & norm_gamma) != 0;
const bool has_beta = (features & norm_beta) != 0;
const bool by_position = (features & norm_by_position) != 0;
const bool by_image = (features & norm_by_image) != 0;
const bool has_residual = (features & norm_residual) != 0;
const bool has_relu = (features & norm_relu) != 0;
const bool has_mask = (features & norm_mask) != 0;
const bool has_valid = (features & norm_valid) != 0;
const bool has_health = (features & norm_health) != 0;
const bool needs_x = (features & norm_x) != 0;
const bool gives_dx = (features & norm_dx) != 0;
const bool gives_dresidual = (features & norm_dresidual) != 0;
const bool has_output = (features & norm_output) != 0;
const bool weighted = (features & norm_weighted) != 0;

// Which values of a short block are there.
bvec4 held(uint values) { return lessThan(uvec4(0, 1, 2, 3), uvec4(values)); }

#ifdef VALID_BINDING
// uint32 [values of a channel]: 0 where a value does not count.
layout(std430, set = 0, binding = VALID_BINDING) readonly buffer Valid { uint valid[]; };

bool is_valid(uint value) { return valid[push.valid_first + value] != 0; }

// The first `values` of four.
bvec4 are_valid(uvec4 value, uint values) {
    bvec4 result = bvec4(is_valid(value.x), false, false, false);
    if (values > 1) result.y = is_valid(value.y);
    if (values > 2) result.z = is_valid(value.z);
    if (values > 3) result.w = is_valid(value.w);
    return result;
}
#endif

#ifdef MASK_BINDING
layout(std430, set = 0, binding = MASK_BINDING) buffer Mask { uint mask[]; };

const bool in_one_word = aligned && !adjacent;  // the bits of a block

// Of four values that follow each other, the first one lowest.
uint bits_of_row(uvec4 bits) { return bits.x | bits.y << 1 | bits.z << 2 | bits.w << 3; }

// Bits of a channel's values from `value` on, the first one lowest. Other invocations have others of the same words.
void let_through(NormMask at, uint channel, uint value, uint bits) {
    if (bits == 0) return;
    const uint shift = value & 31, word = at.first + channel * at.pitch + (value >> 5);
    atomicOr(mask[word], bits << shift);
    if (shift > 0 && (bits >> (32 - shift)) != 0) atomicOr(mask[word + 1], bits >> (32 - shift));
}

// Of so many values; what is above these bits is anything.
uint was_let_through(NormMask at, uint channel, uint value, uint values) {
    const uint shift = value & 31, word = at.first + channel * at.pitch + (value >> 5);
    uint bits = mask[word] >> shift;
    if (!in_one_word && shift + values > 32) bits |= mask[word + 1] << (32 - shift);
    return bits;
}

// The same of several values that follow each other in each of four channels, or in the first where they are one.
uvec4 were_let_through(NormMask at, uvec4 channels, uvec4 value, uint values) {
    if (of_a_row) return uvec4(was_let_through(at, channels.x, value.x, 4)) >> uvec4(0, 1, 2, 3);
    uvec4 bits = uvec4(was_let_through(at, channels.x, value.x, values));
    if (!adjacent) return bits;
    bits.y = was_let_through(at, channels.y, value.y, values);
    bits.z = was_let_through(at, channels.z, value.z, values);
    bits.w = was_let_through(at, channels.w, value.w, values);
    return bits;
}
#endif
