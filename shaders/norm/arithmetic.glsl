// The arithmetic of strands, over NUMBER: a float where an invocation reads one channel, a vec4 where it reads four
// channels side by side. A channel gets the same bits either way, because what they must agree on stands here alone.

// a + b rounded, and what the rounding lost: D. Knuth, TAOCP vol. 2, 4.2.2, theorem B.
NUMBER two_sum(NUMBER a, NUMBER b, out NUMBER lost) {
    precise const NUMBER sum = a + b;
    precise const NUMBER of_b = sum - a;
    precise const NUMBER of_a = sum - of_b;
    precise const NUMBER lost_a = a - of_a;
    precise const NUMBER lost_b = b - of_b;
    precise const NUMBER lost_both = lost_a + lost_b;
    lost = lost_both;
    return sum;
}

NUMBER sum_of_four(NUMBER a, NUMBER b, NUMBER c, NUMBER d) {
    precise const NUMBER total = (a + b) + (c + d);
    return total;
}

// A sum, and what its rounding lost so far, go on by four terms.
void add_four(inout NUMBER sum, inout NUMBER lost, NUMBER a, NUMBER b, NUMBER c, NUMBER d) {
    NUMBER lost_now;
    sum = two_sum(sum, sum_of_four(a, b, c, d), lost_now);
    precise const NUMBER lost_both = lost + lost_now;
    lost = lost_both;
}

// Another sum, with what its own rounding lost, joins.
void add_sum(inout NUMBER sum, inout NUMBER lost, NUMBER other, NUMBER other_lost) {
    NUMBER lost_now;
    sum = two_sum(sum, other, lost_now);
    precise const NUMBER lost_all = lost_now + (lost + other_lost);
    lost = lost_all;
}

// Neither the smallest nor the largest of three: a lone outlier is not chosen.
NUMBER median(NUMBER a, NUMBER b, NUMBER c) { return max(min(a, b), min(max(a, b), c)); }

// A block of four values joins the mean and the squared deviations of the `blocks` before it: an exact two-pass within
// the block, then Chan's merge (see moments.glsl). Values and mean are counted from the strand's pilot.
void take_block(inout NUMBER mean, inout NUMBER squares, uint blocks, NUMBER a, NUMBER b, NUMBER c, NUMBER d) {
    precise const NUMBER block_mean = sum_of_four(a, b, c, d) * 0.25;
    precise const NUMBER from_a = a - block_mean;
    precise const NUMBER from_b = b - block_mean;
    precise const NUMBER from_c = c - block_mean;
    precise const NUMBER from_d = d - block_mean;
    precise const NUMBER inside =
        sum_of_four(from_a * from_a, from_b * from_b, from_c * from_c, from_d * from_d);
    precise const NUMBER delta = block_mean - mean;
    precise const NUMBER move = delta / float(blocks + 1);
    precise const NUMBER between = delta * move * float(4 * blocks);
    precise const NUMBER all_squares = squares + (inside + between);
    precise const NUMBER all_mean = mean + move;
    squares = all_squares;
    mean = all_mean;
}
