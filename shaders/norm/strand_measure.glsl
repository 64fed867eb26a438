// Over NUMBER, as norm/arithmetic.glsl: the mean of a strand's full blocks, counted from its pilot, and their squared
// deviations.
void measure(NormWalk walk, Strand strand, uint there, uint at, out NUMBER pilot, out NUMBER mean, out NUMBER squares) {
    const uint step = block_pitch(walk);
    NUMBER a[4], b[4];
    pilot = mean = squares = NUMBER(0);
    if (strand.blocks > 0) {
        x_block(walk, at, there, NUMBER(0), a);
        pilot = median(a[0], a[1], a[3]);
    }
    float before = 0;
    for (uint pairs = strand.blocks >> 1; pairs > 0; --pairs) {
        x_block(walk, at, there, pilot, a);
        x_block(walk, at + step, there, pilot, b);
        take_two_blocks(mean, squares, before, a, b);
        at += 2 * step;
        before += 8;
    }
    if ((strand.blocks & 1) != 0) {
        x_block(walk, at, there, pilot, a);
        take_block(mean, squares, before, a);
    }
}
