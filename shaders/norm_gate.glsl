// The gradient that a ReLU let through, in terms of y as it was before the ReLU.

vec4 gated(Strand strand, uint value, uint values, Scaling scaling, vec4 x, vec4 dy) {
    if (has_mask) {
        dy = mix(vec4(0), dy, was_let_through(push.sets.first_channel + strand.channel, value, values));
    } else if (has_relu) {
        dy = relu_gradient(scaling, x, dy);
    }
    if (has_valid) dy = mix(vec4(0), dy, counted(value, values));
    return dy;
}
