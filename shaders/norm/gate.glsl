// The gradient that a ReLU let through, in terms of y as it was before the ReLU. Requires MASK_BINDING and VALID_BINDING
// where the kernel knows them, and push.mask.

// The mask's bits from value `at` of the sequence on: of adjacent values, or of a value in each of four channels and of
// those that follow it, unless these are somewhere else.
uvec4 mask_bits(Place place, uint at, uint values) {
#ifdef MASK_BINDING
    if (has_mask)
        return were_let_through(push.mask, push.sets.first_channel + place.channels, values_at(push.walk, place, at), values);
#endif
    return uvec4(0);
}
uvec4 next_mask_bits(Place place, uint at, uvec4 bits, uint before) {
    return adjacent && !across ? bits >> before : mask_bits(place, at + before, adjacent ? 1 : 4);
}

// By the lowest bits of the mask: of four values at a place, the first of them value `at` of the sequence.
vec4 gated(Place place, uint at, uint values, Scaling scaling, vec4 x, vec4 dy, uvec4 bits) {
    if (has_mask) dy = mix(vec4(0), dy, notEqual(adjacent ? bits & 1 : bits.xxxx & uvec4(1, 2, 4, 8), uvec4(0)));
    if (has_relu && !has_mask) dy = relu_gradient(scaling, x, dy);
#ifdef VALID_BINDING
    if (has_valid) dy = mix(vec4(0), dy, are_valid(values_at(push.walk, place, at), values));
#endif
    return dy;
}
