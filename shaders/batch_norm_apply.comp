// y = gamma * x^ + beta: pass 3 of the training forward, and the whole of inference (`frozen`).
#version 450
#extension GL_GOOGLE_include_directive : require

#include "batch_norm_walk.glsl"
#include "batch_norm_normalize.glsl"

layout(constant_id = 2) const bool has_gamma = true;
layout(constant_id = 3) const bool has_beta = true;

layout(push_constant) uniform Push { BatchNormApply push; };

BLOCK_READER(x, 0)
BLOCK_WRITER(y, 1)
NORMALIZER_READER(2, 3)
layout(std430, set = 0, binding = 4) readonly buffer Gamma { float gamma[]; };
layout(std430, set = 0, binding = 5) readonly buffer Beta { float beta[]; };

void main() {
    const BatchNormWalk walk = push.walk;
    for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
        const Strand strand = strand_at(walk, work);
        const Normalizer normalizer = read_normalizer(push.channels, strand.channel);
        precise float scale = normalizer.inv_std;
        if (has_gamma) scale *= gamma[push.gamma_first + strand.channel];
        const float shift = has_beta ? beta[push.beta_first + strand.channel] : 0;
        Cursor cursor = strand.start;
        for (uint i = 0; i < strand.blocks; ++i) {
            const vec4 x = read_x(walk, push.x_first, cursor);
            precise const vec4 y = centred(normalizer, x) * scale + shift;
            write_y(walk, push.y_first, cursor, y);
            advance(walk, cursor);
        }
        if (strand.tail > 0) {
            const vec4 x = read_tail_x(walk, push.x_first, cursor, strand.tail);
            precise const vec4 y = centred(normalizer, x) * scale + shift;
            write_tail_y(walk, push.y_first, cursor, y, strand.tail);
        }
    }
}
