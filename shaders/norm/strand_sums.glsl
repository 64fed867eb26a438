// Sum q and sum q * x^ of a strand, as partials; q is dy, or dy * gamma.

vec4 factor(NormMask at, uint channel, uint value, uint values, Scaling scaling, vec4 x, vec4 dy) {
    bvec4 passed;
#ifdef MASK_BINDING
    if (has_mask) passed = passed_of(was_let_through(at, channel, value, values));
#endif
    dy = gated(passed, value, values, scaling, x, dy);
    return weighted ? dy * scaling.gamma : dy;
}

// Values that do not count, or are not there, may be infinite.
vec4 counting(uint value, uint values, vec4 terms) {
    if (values < 4) terms = mix(vec4(0), terms, held(values));
#ifdef VALID_BINDING
    if (has_valid) terms = mix(vec4(0), terms, counted(value, values));
#endif
    return terms;
}

vec4 x_at(NormWalk walk, uint first, Cursor cursor) { return needs_x ? read_x(walk, first, cursor) : vec4(0); }

// `channel` is that of the whole tensor.
uvec4 sums_of_strand(NormWalk walk, Strand strand, Scaling of_channel, uint x_first, uint dy_first, NormMask mask_at,
                     uint channel) {
    vec2 sum_q = vec2(0);
    vec2 sum_q_x = vec2(0);
    Cursor cursor = strand.start;
    uint value = strand.value;
    const uint step = 4 << walk.lane_bits;
    for (uint i = 0; i < strand.blocks; ++i) {
        const Scaling scaling = scaling_of_block(of_channel, cursor, 4);
        const vec4 x = x_at(walk, x_first, cursor);
        const vec4 q = factor(mask_at, channel, value, 4, scaling, x, read_dy(walk, dy_first, cursor));
        add(sum_q, q);
        if (needs_x) add(sum_q_x, counting(value, 4, product(scaling, x, q)));
        advance(walk, cursor);
        value += step;
    }
    if (strand.tail > 0) {
        const Scaling scaling = scaling_of_block(of_channel, cursor, strand.tail);
        const vec4 x = needs_x ? read_tail_x(walk, x_first, cursor, strand.tail) : vec4(0);
        const vec4 dy = read_tail_dy(walk, dy_first, cursor, strand.tail);
        const vec4 q = factor(mask_at, channel, value, strand.tail, scaling, x, dy);
        add(sum_q, q);
        if (needs_x) add(sum_q_x, counting(value, strand.tail, product(scaling, x, q)));
    }
    return floatBitsToUint(vec4(sum_q, sum_q_x));
}
