// Over NUMBER, as norm/arithmetic.glsl: the sums of the terms of a strand, and what their rounding lost. Two blocks at once
// of one strand, lest each waits for the one before; one of four strands, which is as much.
void add_strand(NormWalk walk, Place place, Strand strand, Scaling scaling, uint x_at, uint dy_at, out NUMBER q,
                out NUMBER q_lost, out NUMBER product, out NUMBER product_lost) {
    const uint pitch = block_pitch(walk), step = block_step(walk);
    q = q_lost = product = product_lost = NUMBER(0);
    NUMBER a[4], b[4], a_product[4], b_product[4];
    uint at = strand.first;
    const uint at_once = adjacent ? 1 : 2;
    for (uint left = strand.blocks / at_once; left > 0; --left) {
        terms_of_block(walk, place, scaling, x_at, dy_at, at, 4, a, a_product);
        if (at_once == 2) {
            terms_of_block(walk, place, scaling, x_at + pitch, dy_at + pitch, at + step, 4, b, b_product);
            a = both(a, b);
            a_product = both(a_product, b_product);
        }
        add_block(q, q_lost, a);
        if (needs_x) add_block(product, product_lost, a_product);
        x_at += at_once * pitch;
        dy_at += at_once * pitch;
        at += at_once * step;
    }
    // One more, and a short one.
    const bool single = strand.blocks % at_once != 0;
    for (uint rest = single ? 0 : 1; rest < (strand.tail > 0 ? 2 : 1); ++rest) {
        terms_of_block(walk, place, scaling, x_at, dy_at, at, rest == 0 ? 4 : strand.tail, a, a_product);
        add_block(q, q_lost, a);
        if (needs_x) add_block(product, product_lost, a_product);
        x_at += pitch;
        dy_at += pitch;
        at += step;
    }
}
