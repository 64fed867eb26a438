// What becomes of the moments of a set. Requires inverse_deviation, norm_moments, in push where each result goes, and
// FINISH_BINDING, the first of seven.

layout(std430, set = 0, binding = FINISH_BINDING) writeonly buffer Mean { float mean[]; };
layout(std430, set = 0, binding = FINISH_BINDING + 1) writeonly buffer InvStd { float inv_std[]; };
layout(std430, set = 0, binding = FINISH_BINDING + 2) buffer RunningMean { float running_mean[]; };
layout(std430, set = 0, binding = FINISH_BINDING + 3) buffer RunningVar { float running_var[]; };
#ifndef BATCHES_BINDING
#define BATCHES_BINDING (FINISH_BINDING + 4)
#endif
#include "norm/batches.glsl"
layout(std430, set = 0, binding = FINISH_BINDING + 5) writeonly buffer Count { uint count[]; };
layout(std430, set = 0, binding = FINISH_BINDING + 6) writeonly buffer Health { uint health[]; };

// running = keep * running + take * batch
void update_running(uint channel, Moments moments) {
    float take = push.take;
    float keep = push.keep;
    if (push.cumulative == 1) {
        precise const float batches = float(num_batches_tracked[push.batches_first + 1]) * 4294967296.0 +
                                      float(num_batches_tracked[push.batches_first]);
        take = 1 / batches;
        keep = 1 - take;
    }
    const float divisor = max(float(moments.count) - push.unbiased, 1);
    const uint mean_at = push.running_mean_first + channel;
    const uint var_at = push.running_var_first + channel;
    precise const float new_mean = keep * running_mean[mean_at] + take * moments.high;
    precise const float new_var = keep * running_var[var_at] + take * (moments.squares / divisor);
    running_mean[mean_at] = new_mean;
    running_var[var_at] = new_var;
}

void report(uint channel, float average, float variance) {
    const uint at = push.health_first + 3 * channel;
    health[at] = floatBitsToUint(average == 0 ? 0 : abs(average) / sqrt(variance));
    health[at + 1] = variance < push.epsilon ? 1 : 0;
}

float variance_of(Moments moments) {
    precise float variance = moments.squares / max(float(moments.count), 1);
    if (push.root_mean_square == 1) variance += moments.high * moments.high;
    return variance;
}

float inv_std_of(Moments moments) {
    precise const float sum = variance_of(moments) + push.epsilon;
    return moments.count == 0 ? 0 : inverse_deviation(sum);
}

void finish(uint of_set, Moments moments, float inverse) {
    if ((push.gives & norm_gives_inv_std) != 0) inv_std[push.inv_std_first + of_set] = inverse;
    if ((push.gives & norm_gives_mean) != 0) {
        mean[push.mean_first + of_set] = moments.high;
        mean[push.mean_first + push.low + of_set] = moments.low;
    }
    if ((push.gives & norm_gives_count) != 0 && of_set == 0) count[push.count_first] = moments.count;
    if ((push.gives & norm_gives_health) != 0) report(of_set, moments.high, variance_of(moments));
    if (push.least > 0 && moments.count >= push.least) update_running(of_set, moments);
}
