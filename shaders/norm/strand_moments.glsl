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

// The values of the short block of one of the strands, or of any block.
vec4 some_x(NormWalk walk, uint at, uint there, uint element, uint values) {
    if (!adjacent) return read_x(at, values);
    const uint pitch = walk.value_pitch;
    vec4 block = vec4(read_x(at, there)[element], 0, 0, 0);
    if (values > 1) block.y = read_x(at + pitch, there)[element];
    if (values > 2) block.z = read_x(at + 2 * pitch, there)[element];
    if (values > 3) block.w = read_x(at + 3 * pitch, there)[element];
    return block;
}

Moments moments_of_tail(NormWalk walk, uint at, uint there, uint element, uint values) {
    const vec4 x = some_x(walk, at, there, element, values);
    return moments_of_block(x.x, x, held(values), values);
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
#define MERGE_TAIL(K) moments[K] = merge(moments[K], moments_of_tail(walk, tail_at, there, K, strand.tail));
    EACH_ELEMENT(MERGE_TAIL)
#undef MERGE_TAIL
    return moments;
}
