// The arithmetic of strands, over NUMBER: a float where an invocation has one strand, a vec4 where it has four side by
// side. A channel gets the same bits either way, because what they must agree on stands here alone.

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

NUMBER sum_of_block(NUMBER block[4]) {
    precise const NUMBER total = (block[0] + block[1]) + (block[2] + block[3]);
    return total;
}

// Of two blocks, value by value.
NUMBER[4] both(NUMBER a[4], NUMBER b[4]) {
    precise const NUMBER sums[4] = NUMBER[4](a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]);
    return sums;
}

// Another sum, with what its own rounding lost, joins.
void add_sum(inout NUMBER sum, inout NUMBER lost, NUMBER other, NUMBER other_lost) {
    NUMBER lost_now;
    sum = two_sum(sum, other, lost_now);
    precise const NUMBER lost_all = lost_now + (lost + other_lost);
    lost = lost_all;
}

// A sum, and what its rounding lost so far, go on by the sums of two blocks.
void add_two(inout NUMBER sum, inout NUMBER lost, NUMBER a, NUMBER b) {
    precise const NUMBER both = a + b;
    add_sum(sum, lost, both, NUMBER(0));
}

// Neither the smallest nor the largest of three: a lone outlier is not chosen.
NUMBER median(NUMBER a, NUMBER b, NUMBER c) { return max(min(a, b), min(max(a, b), c)); }

NUMBER[4] from_mean(NUMBER block[4], NUMBER mean) {
    precise const NUMBER apart[4] = NUMBER[4](block[0] - mean, block[1] - mean, block[2] - mean, block[3] - mean);
    return apart;
}

NUMBER[4] squared(NUMBER v[4]) {
    precise const NUMBER squares[4] = NUMBER[4](v[0] * v[0], v[1] * v[1], v[2] * v[2], v[3] * v[3]);
    return squares;
}

// `count` values with such a mean and squares join the mean and the squared deviations of `before` values: Chan's merge,
// see moments.glsl.
void take(inout NUMBER mean, inout NUMBER squares, float before, float count, NUMBER their_mean, NUMBER their_squares) {
    precise const NUMBER delta = their_mean - mean;
    precise const NUMBER move = delta * (count / (before + count));
    precise const NUMBER between = delta * move * before;
    precise const NUMBER all_squares = squares + (their_squares + between);
    precise const NUMBER all_mean = mean + move;
    squares = all_squares;
    mean = all_mean;
}

// Within a block, and within two, the exact mean is subtracted before squaring. Values are counted from the strand's
// pilot.
void take_block(inout NUMBER mean, inout NUMBER squares, float before, NUMBER block[4]) {
    precise const NUMBER block_mean = sum_of_block(block) * 0.25;
    take(mean, squares, before, 4, block_mean, sum_of_block(squared(from_mean(block, block_mean))));
}

void take_two_blocks(inout NUMBER mean, inout NUMBER squares, float before, NUMBER a[4], NUMBER b[4]) {
    precise const NUMBER their_mean = sum_of_block(both(a, b)) * 0.125;
    const NUMBER their_squares =
        sum_of_block(both(squared(from_mean(a, their_mean)), squared(from_mean(b, their_mean))));
    take(mean, squares, before, 8, their_mean, their_squares);
}
