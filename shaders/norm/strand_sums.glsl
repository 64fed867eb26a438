// Sums of the terms of strands, as partials. Requires norm/gate.glsl.

// Of four values: what is summed, and with needs_x what is summed besides.
struct Terms {
    vec4 q, product;
};

// Those of four values of one strand, or of one value of four strands: the kernel's.
Terms terms_at(Place place, Scaling of_place, uint x_at, uint dy_at, uint at, uint values, uvec4 bits);

// The terms of a block of one strand, or of four strands, of which `values` are there.
void terms_of_block(NormWalk walk, Place place, Scaling scaling, uint x_at, uint dy_at, uint at, uint values, out float q[4],
                    out float product[4]) {
    const Terms terms = terms_at(place, scaling, x_at, dy_at, at, values, mask_bits(place, at, values));
    q = float[4](terms.q.x, terms.q.y, terms.q.z, terms.q.w);
    product = float[4](terms.product.x, terms.product.y, terms.product.z, terms.product.w);
}
void terms_of_block(NormWalk walk, Place place, Scaling scaling, uint x_at, uint dy_at, uint at, uint values, out vec4 q[4],
                    out vec4 product[4]) {
    const uint pitch = walk.value_pitch;
    const uvec4 bits = mask_bits(place, at, across ? 1 : values);
    if (!aligned || values < 4) {  // what is short, or element by element, need not be quick
        Terms rows[4];
        for (uint k = 0; k < 4; ++k) rows[k] = Terms(vec4(0), vec4(0));
        for (uint k = 0; k < values; ++k) {
            const uvec4 these = k == 0 ? bits : next_mask_bits(place, at, bits, k);
            rows[k] = terms_at(place, scaling, x_at + k * pitch, dy_at + k * pitch, at + k, 4, these);
        }
        q = vec4[4](rows[0].q, rows[1].q, rows[2].q, rows[3].q);
        product = vec4[4](rows[0].product, rows[1].product, rows[2].product, rows[3].product);
        return;
    }
    const Terms a = terms_at(place, scaling, x_at, dy_at, at, 4, bits);
    const Terms b = terms_at(place, scaling, x_at + pitch, dy_at + pitch, at + 1, 4, next_mask_bits(place, at, bits, 1));
    const Terms c = terms_at(place, scaling, x_at + 2 * pitch, dy_at + 2 * pitch, at + 2, 4, next_mask_bits(place, at, bits, 2));
    const Terms d = terms_at(place, scaling, x_at + 3 * pitch, dy_at + 3 * pitch, at + 3, 4, next_mask_bits(place, at, bits, 3));
    q = vec4[4](a.q, b.q, c.q, d.q);
    product = vec4[4](a.product, b.product, c.product, d.product);
}

#define NUMBER float
#include "norm/strand_add.glsl"
#undef NUMBER
#define NUMBER vec4
#include "norm/strand_add.glsl"
#undef NUMBER

// Of as many strands as an invocation has; only the first where it has one.
uvec4[4] sums_of_strands(NormWalk walk, Place place, Strand strand, Scaling scaling, uint x_first, uint dy_first) {
    uvec4 sums[4];
    const uint x_at = x_first + strand.address, dy_at = dy_first + strand.address;
    if (adjacent) {
        vec4 q, q_lost, product, product_lost;
        add_strand(walk, place, strand, scaling, x_at, dy_at, q, q_lost, product, product_lost);
#define TAKE(K) sums[K] = floatBitsToUint(vec4(q[K], q_lost[K], product[K], product_lost[K]));
        EACH_ELEMENT(TAKE)
#undef TAKE
    } else {
        float q, q_lost, product, product_lost;
        add_strand(walk, place, strand, scaling, x_at, dy_at, q, q_lost, product, product_lost);
        sums[0] = floatBitsToUint(vec4(q, q_lost, product, product_lost));
    }
    return sums;
}
