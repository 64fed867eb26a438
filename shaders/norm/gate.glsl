// The gradient that a ReLU let through, in terms of y as it was before the ReLU; `passed` says where, for those with a mask.

vec4 gated(bvec4 passed, uint value, uint values, Scaling scaling, vec4 x, vec4 dy) {
    if (has_mask) {
        dy = mix(vec4(0), dy, passed);
    } else if (has_relu) {
        dy = relu_gradient(scaling, x, dy);
    }
    if (has_valid) dy = mix(vec4(0), dy, block_counted(value, values));
    return dy;
}

// By bits of adjacent values.
bvec4 passed_of(uint bits) { return notEqual(uvec4(bits) & uvec4(1, 2, 4, 8), uvec4(0)); }
