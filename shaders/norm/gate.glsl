// The gradient that a ReLU let through, in terms of y as it was before the ReLU. Requires MASK_BINDING, VALID_BINDING and
// Y_BINDING where the kernel knows them, and push.mask.

#ifdef Y_BINDING
BLOCK_READER(y, Y_BINDING)  // read_y
#endif

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

// The four values of dy at an address, by the lowest bits of the mask: the first of them is value `at` of the sequence.
vec4 gated(Place place, uint dy_at, uint at, uint values, Scaling scaling, vec4 x, vec4 dy, uvec4 bits) {
    if (has_mask) dy = mix(vec4(0), dy, notEqual(adjacent ? bits & 1 : bits.xxxx & uvec4(1, 2, 4, 8), uvec4(0)));
#ifdef Y_BINDING
    if (has_output) {
        const vec4 y = read_y(push.y_first + (dy_at - push.dy_first), adjacent ? place.there : values);
        dy = mix(dy, vec4(0), lessThanEqual(y, vec4(0)));
    }
#endif
    if (has_relu) dy = relu_gradient(scaling, x, dy);
#ifdef VALID_BINDING
    if (has_valid) dy = mix(vec4(0), dy, are_valid(values_at(push.walk, place, at), values));
#endif
    return dy;
}
