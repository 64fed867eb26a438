// The moments of strands of x.
//
// Each strand is measured from one of its own values, its pilot: x - pilot is exact for values within a factor of two of it,
// so a large mean costs no digits.

// The block of one strand at an address, or those of four side by side.
void x_block(NormWalk walk, uint at, uint there, float pilot, out float block[4]) {
    precise const vec4 x = read_x(at, there) - pilot;
    block = float[4](x.x, x.y, x.z, x.w);
}
void x_block(NormWalk walk, uint at, uint there, vec4 pilot, out vec4 block[4]) {
    const uint pitch = walk.value_pitch;
    if (!aligned) {  // element by element, which is long enough once
        vec4 rows[4];
        for (uint k = 0; k < 4; ++k) {
            precise const vec4 x = read_x(at + k * pitch, there) - pilot;
            rows[k] = x;
        }
        block = vec4[4](rows[0], rows[1], rows[2], rows[3]);
        return;
    }
    precise const vec4 a = read_x(at, there) - pilot, b = read_x(at + pitch, there) - pilot;
    precise const vec4 c = read_x(at + 2 * pitch, there) - pilot, d = read_x(at + 3 * pitch, there) - pilot;
    block = vec4[4](a, b, c, d);
}

#define NUMBER float
#include "norm/strand_measure.glsl"
#undef NUMBER
#define NUMBER vec4
#include "norm/strand_measure.glsl"
#undef NUMBER

// The values of a block of one of the strands that may be short.
vec4 some_x(NormWalk walk, uint at, uint there, uint element, uint values) {
    if (!adjacent) return read_x(at, values);
    const uint pitch = walk.value_pitch;
    vec4 block = vec4(0);
    for (uint k = 0; k < values; ++k) block[k] = read_x(at + k * pitch, there)[element];
    return block;
}

// The short blocks of as many strands as an invocation has, value by value of each.
void x_tails(NormWalk walk, uint at, uint there, uint values, out vec4 tails[4]) {
    if (!adjacent) {
        tails[0] = read_x(at, values);
        return;
    }
    vec4 rows[3] = vec4[3](vec4(0), vec4(0), vec4(0));
    for (uint k = 0; k < values; ++k) rows[k] = read_x(at + k * walk.value_pitch, there);
    const vec4 a = rows[0], b = rows[1], c = rows[2];
    tails = vec4[4](vec4(a.x, b.x, c.x, 0), vec4(a.y, b.y, c.y, 0), vec4(a.z, b.z, c.z, 0), vec4(a.w, b.w, c.w, 0));
}

// Of as many strands as an invocation has; only the first where it has one.
Moments[4] moments_of_strands(NormWalk walk, Strand strand, uint there, uint x_first) {
    Moments moments[4];
    const uint at = x_first + strand.address, count = 4 * strand.blocks;
    if (adjacent) {
        vec4 pilot, mean, squares;
        measure(walk, strand, there, at, pilot, mean, squares);
#define TAKE(K) moments[K] = Moments(count, pilot[K], mean[K], squares[K]);
        EACH_ELEMENT(TAKE)
#undef TAKE
    } else {
        float pilot, mean, squares;
        measure(walk, strand, there, at, pilot, mean, squares);
        moments[0] = Moments(count, pilot, mean, squares);
    }
    if (strand.tail == 0) return moments;
    const uint tail_at = at + strand.blocks * block_pitch(walk);
    vec4 tails[4];
    x_tails(walk, tail_at, there, strand.tail, tails);
#define MERGE_TAIL(K) \
    moments[K] = merge(moments[K], moments_of_block(tails[K].x, tails[K], held(strand.tail), strand.tail));
    EACH_ELEMENT(MERGE_TAIL)
#undef MERGE_TAIL
    return moments;
}
