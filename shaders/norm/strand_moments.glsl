// The moments of a strand of x.
//
// Each strand is measured from one of its own values, its pilot: x - pilot is exact for values within a factor of two of it,
// so a large mean costs no digits.

Moments moments_of_strand(NormWalk walk, Strand strand, uint x_first) {
    Cursor cursor = strand.start;
    float pilot = 0, mean = 0, squares = 0;
    if (strand.blocks > 0) {
        const vec4 first = read_x(walk, x_first, cursor);
        pilot = median(first.x, first.y, first.w);
    }
    for (uint i = 0; i < strand.blocks; ++i) {
        precise const vec4 shifted = read_x(walk, x_first, stepped(walk, cursor)) - pilot;
        take_block(mean, squares, i, shifted.x, shifted.y, shifted.z, shifted.w);
    }
    const Moments moments = Moments(4 * strand.blocks, pilot, mean, squares);
    if (strand.tail == 0) return moments;
    const vec4 x = read_tail_x(walk, x_first, cursor, strand.tail);
    return merge(moments, moments_of_block(x.x, x, held(strand.tail), strand.tail));
}
