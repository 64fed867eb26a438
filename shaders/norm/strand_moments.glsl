// The moments of a strand of x.
//
// Each strand is measured from one of its own values K: x - K is exact for values within a factor of two of K, so a
// large mean costs no digits. Within x - K: exact two-pass per block of four, then Chan's merge into the strand.

// Neither the smallest nor the largest of three: a lone outlier is not chosen.
float median(vec3 v) { return max(min(v.x, v.y), min(max(v.x, v.y), v.z)); }

Moments moments_of_strand(NormWalk walk, Strand strand, uint x_first) {
    Cursor cursor = strand.start;
    const float pilot = strand.blocks > 0 ? median(read_x(walk, x_first, cursor).xyw) : 0;
    precise float mean = 0;  // of x - pilot
    precise float squares = 0;
    for (uint i = 0; i < strand.blocks; ++i) {
        precise const vec4 shifted = read_x(walk, x_first, stepped(walk, cursor)) - pilot;
        precise const float block_mean = sum(shifted) * 0.25;
        precise const vec4 deviation = shifted - block_mean;
        precise const vec4 squared = deviation * deviation;
        precise const float delta = block_mean - mean;
        precise const float move = delta / float(i + 1);
        precise const float between = delta * move * float(4 * i);
        squares += sum(squared) + between;
        mean += move;
    }
    const Moments moments = Moments(4 * strand.blocks, pilot, mean, squares);
    if (strand.tail == 0) return moments;
    const vec4 x = read_tail_x(walk, x_first, cursor, strand.tail);
    return merge(moments, moments_of_block(x.x, x, held(strand.tail), strand.tail));
}
