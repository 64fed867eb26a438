// The moments of the strands of four adjacent channels, block by block and step by step as in strand_moments.glsl, so that
// they have the same bits.
#include "norm/moments.glsl"
#include "norm/measure.glsl"

vec4 row(NormWalk walk, uint at) { return read_x(walk, at, Cursor(0, 0)); }

Moments[4] moments_of_quad(NormWalk walk, Strand strand, uint x_first) {
    const uint pitch = walk.image_pitch;
    uint at = x_first + strand.start.address;
    vec4 pilot = vec4(0), mean = vec4(0), squares = vec4(0);
    if (strand.blocks > 0) pilot = median(row(walk, at), row(walk, at + pitch), row(walk, at + 3 * pitch));
    for (uint i = 0; i < strand.blocks; ++i) {
        precise const vec4 a = row(walk, at) - pilot;
        precise const vec4 b = row(walk, at + pitch) - pilot;
        precise const vec4 c = row(walk, at + 2 * pitch) - pilot;
        precise const vec4 d = row(walk, at + 3 * pitch) - pilot;
        take_block(mean, squares, i, a, b, c, d);
        at += walk.step_address;
    }
    Moments moments[4];
    for (uint k = 0; k < 4; ++k) moments[k] = Moments(4 * strand.blocks, pilot[k], mean[k], squares[k]);
    if (strand.tail > 0) {
        const vec4 a = row(walk, at), none = vec4(0);
        const vec4 b = strand.tail > 1 ? row(walk, at + pitch) : none;
        const vec4 c = strand.tail > 2 ? row(walk, at + 2 * pitch) : none;
        for (uint k = 0; k < 4; ++k) {
            const vec4 block = vec4(a[k], b[k], c[k], 0);
            moments[k] = merge(moments[k], moments_of_block(block.x, block, held(strand.tail), strand.tail));
        }
    }
    return moments;
}
