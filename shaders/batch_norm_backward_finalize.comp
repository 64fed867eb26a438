// Backward, pass 2: the partials of each channel become dbeta = sum dy, dgamma = sum dy * x^, and both divided by the
// number of values for pass 3.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "batch_norm.h"
#include "two_sum.glsl"

uvec4 merge(uvec4 a, uvec4 b) {
    const vec4 left = uintBitsToFloat(a);
    const vec4 right = uintBitsToFloat(b);
    const vec2 sum_dy = two_sum(left.x, right.x);
    const vec2 sum_dy_x = two_sum(left.z, right.z);
    precise const float lost = sum_dy.y + (left.y + right.y);
    precise const float lost_x = sum_dy_x.y + (left.w + right.w);
    return floatBitsToUint(vec4(sum_dy.x, lost, sum_dy_x.x, lost_x));
}

#include "batch_norm_tree.glsl"

layout(push_constant) uniform Push { BatchNormBackwardFinalize push; };

layout(std430, set = 0, binding = 1) writeonly buffer Dgamma { float dgamma[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Dbeta { float dbeta[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Means { float means[]; };

void main() {
    const vec4 sums = uintBitsToFloat(tree_total(push.partials, push.channels));
    const uint channel = tree_channel();
    if (!tree_root() || channel >= push.channels) return;
    precise const float sum_dy = sums.x + sums.y;
    precise const float sum_dy_x = sums.z + sums.w;
    if (push.give_dgamma == 1) dgamma[push.dgamma_first + channel] = sum_dy_x;
    if (push.give_dbeta == 1) dbeta[push.dbeta_first + channel] = sum_dy;
    if (push.give_means == 1) {
        means[push.means_first + 2 * channel] = sum_dy / push.values;
        means[push.means_first + 2 * channel + 1] = sum_dy_x / push.values;
    }
}
