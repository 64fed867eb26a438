// Training backward of few rows in one dispatch: an invocation sums four adjacent channels, strand by strand, and gives
// their dx while they are in its cache. Same bits as the three passes.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/fused_walk.glsl"

layout(push_constant) uniform Push { NormFusedBackward push; };

#define MEAN_BINDING 3
#define DEVIATION_BINDING 4
#define GAMMA_BINDING 5
#define BETA_BINDING 6
#include "norm/features.glsl"
#define CHANNELS_OF(ELEMENT) (ELEMENT + uvec4(0, 1, 2, 3))
#include "norm/scaling.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_READER(dy, 1)  // read_dy, read_tail_dy
BLOCK_WRITER(dx, 2)  // write_dx, write_tail_dx
#define DGAMMA_BINDING 7
#include "norm/parameters.glsl"
#include "norm/quad_sums.glsl"
#include "norm/dx.glsl"

void main() {
    const NormWalk walk = walk_of(push.shape);
    const uint x_first = push.x_first, dy_first = push.dy_first, dx_first = push.dx_first;
    for (uint quad = gl_GlobalInvocationID.x; quad < walk.inner; quad += invocations()) {
        const Scaling scaling = scaling_of_channel(0, 4 * quad);
        const Sums none = Sums(vec4(0), vec4(0));
        QuadSums total = QuadSums(none, none);
        for (uint i = 0; i < walk.strands; ++i) {
            const Strand strand = strand_at(walk, 0, i * walk.inner + quad);
            const QuadSums more = sums_of_quad(walk, strand, scaling, x_first, dy_first);
            merge(total.q, more.q);
            merge(total.q_x, more.q_x);
        }
        const vec4 sum_dy = together(total.q.high, total.q.lost);
        const vec4 sum_dy_x = together(total.q_x.high, total.q_x.lost);
        for (uint k = 0; k < 4; ++k) give_parameters(4 * quad + k, sum_dy[k], sum_dy_x[k]);
        const Means means = Means(sum_dy / push.values, sum_dy_x / push.values);
        uint at = quad;
        for (uint row = 0; row < walk.values; ++row) {
            const vec4 x = read_x(walk, x_first, Cursor(at, 0));
            vec4 dy = read_dy(walk, dy_first, Cursor(at, 0));
            if (has_relu) dy = relu_gradient(scaling, x, dy);
            write_dx(walk, dx_first, Cursor(at, 0), dx_of(scaling, means, x, dy));
            at += walk.image_pitch;
        }
    }
}
