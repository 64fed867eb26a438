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
#define BATCHES_BINDING 6
#include "norm/quad_moments.glsl"

uint quad_again;
bool counts_again(uint i) { return true; }
vec4 value_again(uint i) {
    const NormWalk walk = walk_of(push.shape);
    return row(walk, push.x_first + quad_again + i * walk.image_pitch);
}

#include "norm/measure_again.glsl"
#define FINISH_BINDING 2
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
        vec4 variance, unit = vec4(1);
        bvec4 out_of_range;
        for (uint k = 0; k < 4; ++k) {
            total[k] = rounded(total[k]);
            variance[k] = variance_of(total[k]);
            out_of_range[k] = is_out_of_range(variance[k], push.epsilon);
        }
        if (any(out_of_range)) {
            quad_again = quad;
            const Again again = measured_again(variance, walk.values, float(total[0].count));
            for (uint k = 0; k < 4; ++k) {
                if (!out_of_range[k] || !is_better(again, k)) continue;
                total[k] = Moments(total[k].count, again.high[k], again.low[k], again.squares[k]);
                unit[k] = again.unit[k];
            }
        }
        Scaling scaling = neutral;
        for (uint k = 0; k < 4; ++k) {
            const uint channel = 4 * quad + k;
            scaling.mean[k] = total[k].high * per_unit(unit[k]);
            scaling.mean_lost[k] = total[k].low * per_unit(unit[k]);
            scaling.inv_std[k] = inv_std_of(total[k], unit[k]);
            finish(channel, total[k], unit[k], scaling.inv_std[k]);
            if (has_gamma) scaling.gamma[k] = gammas[push.gamma_first + channel];
            if (has_beta) scaling.beta[k] = betas[push.beta_first + channel];
        }
        finish_scaling(scaling);
        uint at = quad;
        for (uint row = 0; row < walk.values; ++row) {
            vec4 y = affine(scaling, read_x(walk, x_first, Cursor(at, 0)));
            if (has_relu) y = relu(y);
            write_y(walk, y_first, Cursor(at, 0), y);
            at += walk.image_pitch;
        }
    }
}
