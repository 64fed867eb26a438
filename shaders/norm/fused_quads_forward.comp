// Training forward of few rows in one dispatch: an invocation measures four adjacent channels, strand by strand, and
// normalizes them while they are in its cache. Same bits as the three passes.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/fused_walk.glsl"

layout(push_constant) uniform Push { NormFusedForward push; };

#include "norm/features.glsl"
#include "norm/inverse_deviation.glsl"
#include "norm/affine.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
#define FINISH_BINDING 2
#define BATCHES_BINDING 6
#include "norm/quad_moments.glsl"
#include "norm/finish.glsl"
layout(std430, set = 0, binding = 9) readonly buffer Gamma { float gammas[]; };
layout(std430, set = 0, binding = 10) readonly buffer Beta { float betas[]; };
BLOCK_WRITER(y, 1)  // write_y, write_tail_y

void main() {
    const NormWalk walk = walk_of(push.shape);
    const uint x_first = push.x_first, y_first = push.y_first;
    if (push.counts == 1 && gl_GlobalInvocationID.x == 0) count_batch();
    for (uint quad = gl_GlobalInvocationID.x; quad < walk.inner; quad += invocations()) {
        Moments total[4];
        for (uint k = 0; k < 4; ++k) total[k] = Moments(0, 0, 0, 0);
        for (uint i = 0; i < walk.strands; ++i) {
            const Moments more[4] = moments_of_quad(walk, strand_at(walk, 0, i * walk.inner + quad), x_first);
            for (uint k = 0; k < 4; ++k) total[k] = merge(total[k], more[k]);
        }
        Scaling scaling = neutral;
        for (uint k = 0; k < 4; ++k) {
            const uint channel = 4 * quad + k;
            const Moments moments = rounded(total[k]);
            scaling.mean[k] = moments.high;
            scaling.mean_lost[k] = moments.low;
            scaling.inv_std[k] = inv_std_of(moments);
            finish(channel, moments, scaling.inv_std[k]);
            if (has_gamma) scaling.gamma[k] = gammas[push.gamma_first + channel];
            if (has_beta) scaling.beta[k] = betas[push.beta_first + channel];
        }
        scaling.scale = scale_of(scaling);
        uint at = quad;
        for (uint row = 0; row < walk.values; ++row) {
            vec4 y = affine(scaling, read_x(walk, x_first, Cursor(at, 0)));
            if (has_relu) y = relu(y);
            write_y(walk, y_first, Cursor(at, 0), y);
            at += walk.image_pitch;
        }
    }
}
