// Training forward, pass 2: the partials of each channel become mean, inv_std and the update of the running statistics.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "batch_norm.h"
#include "batch_norm_moments.glsl"
#include "inverse_deviation.glsl"

uvec4 merge(uvec4 a, uvec4 b) { return packed(merge(unpacked(a), unpacked(b))); }

#include "batch_norm_tree.glsl"

layout(push_constant) uniform Push { BatchNormFinalize push; };

layout(std430, set = 0, binding = 1) writeonly buffer Mean { float mean[]; };
layout(std430, set = 0, binding = 2) writeonly buffer InvStd { float inv_std[]; };
layout(std430, set = 0, binding = 3) buffer RunningMean { float running_mean[]; };
layout(std430, set = 0, binding = 4) buffer RunningVar { float running_var[]; };
layout(std430, set = 0, binding = 5) readonly buffer NumBatchesTracked { uint num_batches_tracked[]; };

// running = keep * running + take * batch
void update_running(uint channel, Moments moments) {
    float take = push.take;
    float keep = push.keep;
    if (push.cumulative == 1) {
        precise const float batches = float(num_batches_tracked[push.count_first + 1]) * 4294967296.0 +
                                      float(num_batches_tracked[push.count_first]);
        take = 1 / batches;
        keep = 1 - take;
    }
    const uint mean_at = push.running_mean_first + channel;
    const uint var_at = push.running_var_first + channel;
    precise const float new_mean = keep * running_mean[mean_at] + take * moments.high;
    precise const float new_var = keep * running_var[var_at] + take * (moments.squares / push.divisor);
    running_mean[mean_at] = new_mean;
    running_var[var_at] = new_var;
}

void main() {
    Moments moments = unpacked(tree_total(push.partials, push.channels));
    const vec2 mean_parts = two_sum(moments.high, moments.low);  // a lone strand's are its pilot and the rest
    moments.high = mean_parts.x;
    moments.low = mean_parts.y;
    const uint channel = tree_channel();
    if (!tree_root() || channel >= push.channels) return;
    precise const float variance = moments.squares / push.values + push.epsilon;
    mean[push.mean_first + channel] = moments.high;
    mean[push.mean_first + push.low + channel] = moments.low;
    inv_std[push.inv_std_first + channel] = moments.count == 0 ? 0 : inverse_deviation(variance);
    if (push.update == 1) update_running(channel, moments);
}
