// Over NUMBER, as norm/arithmetic.glsl: the sums of the terms of a strand, and what their rounding lost. Two blocks go on at
// once, lest each waits for the one before.
void add_strand(NormWalk walk, Place place, Strand strand, Scaling scaling, uint x_at, uint dy_at, out NUMBER q,
                out NUMBER q_lost, out NUMBER product, out NUMBER product_lost) {
    const uint pitch = block_pitch(walk), step = block_step(walk);
    q = q_lost = product = product_lost = NUMBER(0);
    NUMBER terms[4], products[4];
    uint at = strand.first;
    for (uint pairs = strand.blocks >> 1; pairs > 0; --pairs) {
        terms_of_block(walk, place, scaling, x_at, dy_at, at, 4, terms, products);
        const NUMBER first = sum_of_block(terms), first_product = sum_of_block(products);
        terms_of_block(walk, place, scaling, x_at + pitch, dy_at + pitch, at + step, 4, terms, products);
        add_two(q, q_lost, first, sum_of_block(terms));
        if (needs_x) add_two(product, product_lost, first_product, sum_of_block(products));
        x_at += 2 * pitch;
        dy_at += 2 * pitch;
        at += 2 * step;
    }
    // One more, and a short one.
    const bool single = (strand.blocks & 1) != 0;
    for (uint rest = single ? 0 : 1; rest < (strand.tail > 0 ? 2 : 1); ++rest) {
        terms_of_block(walk, place, scaling, x_at, dy_at, at, rest == 0 ? 4 : strand.tail, terms, products);
        add_sum(q, q_lost, sum_of_block(terms), NUMBER(0));
        if (needs_x) add_sum(product, product_lost, sum_of_block(products), NUMBER(0));
        x_at += pitch;
        dy_at += pitch;
        at += step;
    }
}
