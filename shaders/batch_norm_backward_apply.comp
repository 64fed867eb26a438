// Backward, pass 3: dx = gamma * inv_std * (dy - mean(dy) - x^ * mean(dy * x^)); with frozen statistics the whole of
// dx = gamma * inv_std * dy.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "batch_norm_walk.glsl"
#include "batch_norm_normalize.glsl"

layout(constant_id = 2) const bool has_gamma = true;

layout(push_constant) uniform Push { BatchNormBackwardApply push; };

BLOCK_READER(x, 0)
BLOCK_READER(dy, 1)
BLOCK_WRITER(dx, 2)
NORMALIZER_READER(3, 4)
layout(std430, set = 0, binding = 5) readonly buffer Gamma { float gamma[]; };
layout(std430, set = 0, binding = 6) readonly buffer Means { float means[]; };

struct Gradient {
    float scale;         // gamma * inv_std
    float mean_dy;
    float slope;         // mean(dy * x^) * inv_std
};

vec4 dx_of(Normalizer normalizer, Gradient gradient, vec4 x, vec4 dy) {
    precise const vec4 dx =
        gradient.scale * ((dy - gradient.mean_dy) - centred(normalizer, x) * gradient.slope);
    return dx;
}

void main() {
    const BatchNormWalk walk = push.walk;
    for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
        const Strand strand = strand_at(walk, work);
        const Normalizer normalizer = read_normalizer(push.channels, strand.channel);
        Gradient gradient;
        precise float scale = normalizer.inv_std;
        if (has_gamma) scale *= gamma[push.gamma_first + strand.channel];
        gradient.scale = scale;
        if (!frozen) {
            const uint at = push.means_first + 2 * strand.channel;
            gradient.mean_dy = means[at];
            precise const float slope = means[at + 1] * normalizer.inv_std;
            gradient.slope = slope;
        }
        Cursor cursor = strand.start;
        for (uint i = 0; i < strand.blocks; ++i) {
            const vec4 dy = read_dy(walk, push.dy_first, cursor);
            vec4 dx;
            if (frozen) {
                dx = scale * dy;
            } else {
                dx = dx_of(normalizer, gradient, read_x(walk, push.x_first, cursor), dy);
            }
            write_dx(walk, push.dx_first, cursor, dx);
            advance(walk, cursor);
        }
        if (strand.tail > 0) {
            const vec4 dy = read_tail_dy(walk, push.dy_first, cursor, strand.tail);
            vec4 dx;
            if (frozen) {
                dx = scale * dy;
            } else {
                const vec4 x = read_tail_x(walk, push.x_first, cursor, strand.tail);
                dx = dx_of(normalizer, gradient, x, dy);
            }
            write_tail_dx(walk, push.dx_first, cursor, dx, strand.tail);
        }
    }
}
