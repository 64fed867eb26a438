// What the kernel has to do, fixed when its pipeline is made; see norm.h.

layout(constant_id = 3) const uint features = norm_gamma | norm_beta;

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
const bool weighted = (features & norm_weighted) != 0;

// Which values of a short block are there.
bvec4 held(uint values) { return lessThan(uvec4(0, 1, 2, 3), uvec4(values)); }

#ifdef VALID_BINDING
// uint32 [values of a line]: 0 where a value does not count.
layout(std430, set = 0, binding = VALID_BINDING) readonly buffer Valid { uint valid[]; };

bvec4 counted(uint value, uint values) {
    const uint at = push.valid_first + value;
    bvec4 result = bvec4(valid[at] != 0, false, false, false);
    if (values > 1) result.y = valid[at + 1] != 0;
    if (values > 2) result.z = valid[at + 2] != 0;
    if (values > 3) result.w = valid[at + 3] != 0;
    return result;
}
#endif

#ifdef MASK_BINDING
layout(std430, set = 0, binding = MASK_BINDING) buffer Mask { uint mask[]; };

// Other invocations have other bits of the same words.
void let_through(uint channel, uint value, bvec4 values) {
    const uint bits = uint(values.x) | uint(values.y) << 1 | uint(values.z) << 2 | uint(values.w) << 3;
    if (bits == 0) return;
    const uint at = push.mask.value_first + value;
    const uint word = push.mask.first + channel * push.mask.pitch + (at >> 5);
    const uint shift = at & 31;
    atomicOr(mask[word], bits << shift);
    if (shift > 28 && (bits >> (32 - shift)) != 0) atomicOr(mask[word + 1], bits >> (32 - shift));
}

bvec4 was_let_through(uint channel, uint value, uint values) {
    const uint at = push.mask.value_first + value;
    const uint word = push.mask.first + channel * push.mask.pitch + (at >> 5);
    const uint shift = at & 31;
    uint bits = mask[word] >> shift;
    if (shift + values > 32) bits |= mask[word + 1] << (32 - shift);
    return notEqual(uvec4(bits) & uvec4(1, 2, 4, 8), uvec4(0));
}
#endif
