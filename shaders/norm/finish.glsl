// What becomes of the moments of a set, which are those of its values times `unit`: a power of two, nearly always 1.
// Requires inverse_deviation, norm_moments, norm/measure_again.glsl, push.finish, FINISH_BINDING, the
// first of five, HEALTH_BINDING, the first of two, where count and health may be wanted, and what is wanted:
// `gives_running`, `cumulative`, `gives_count`, `gives_health`.

layout(std430, set = 0, binding = FINISH_BINDING) writeonly buffer Mean { float mean[]; };
layout(std430, set = 0, binding = FINISH_BINDING + 1) writeonly buffer InvStd { float inv_std[]; };
layout(std430, set = 0, binding = FINISH_BINDING + 2) buffer RunningMean { float running_mean[]; };
layout(std430, set = 0, binding = FINISH_BINDING + 3) buffer RunningVar { float running_var[]; };
#ifndef BATCHES_BINDING
#define BATCHES_BINDING (FINISH_BINDING + 4)
#endif
#include "norm/batches.glsl"
#ifdef HEALTH_BINDING
layout(std430, set = 0, binding = HEALTH_BINDING) buffer Health { uint health[]; };
layout(std430, set = 0, binding = HEALTH_BINDING + 1) writeonly buffer Count { uint count[]; };
#endif

float per_unit(float unit) { return uintBitsToFloat(0x7f000000u - floatBitsToUint(unit)); }

// running = keep * running + take * batch, or, for norm/commit.comp, the batch alone.
void update_running(uint channel, Moments moments, float unit) {
    const float divisor = max(float(moments.count) - push.finish.unbiased, 1), back = per_unit(unit);
    const float batch_mean = moments.high * back, batch_var = moments.squares / divisor * back * back;
    const uint mean_at = push.finish.running_mean_first + channel;
    const uint var_at = push.finish.running_var_first + channel;
    if (push.finish.staged == 1) {
        running_mean[mean_at] = batch_mean;
        running_var[var_at] = moments.count >= push.finish.least ? batch_var : norm_nothing_staged;
        return;
    }
    if (moments.count < push.finish.least) return;
    float take = push.finish.take;
    float keep = push.finish.keep;
    if (cumulative) {
        take = 1 / batches_as_float(push.batches_first);
        keep = 1 - take;
    }
    precise const float new_mean = keep * running_mean[mean_at] + take * batch_mean;
    precise const float new_var = keep * running_var[var_at] + take * batch_var;
    running_mean[mean_at] = new_mean;
    running_var[var_at] = new_var;
}

// Of the values times the unit.
float variance_of(Moments moments) {
    precise float variance = moments.squares / max(float(moments.count), 1);
    if (push.finish.root_mean_square == 1) variance += moments.high * moments.high;
    return variance;
}

#ifdef HEALTH_BINDING
void report(uint channel, Moments moments, float unit) {
    const uint at = push.health_first + norm_health_words * channel;
    const float deviation = sqrt(variance_of(moments)), back = per_unit(unit);
    const float variance = variance_of(moments) * back * back;
    health[at] = floatBitsToUint(moments.high == 0 ? 0 : abs(moments.high) / deviation);
    health[at + 1] = variance < push.finish.epsilon ? 1 : 0;
    health[at + 3] = health[at + 2] == ~0u && !is_finite(variance) ? 1 : 0;
}
#endif

// Below the normal numbers a device may give zero, but not by its bits.
float times_unit(float inverse, float unit) {
    if (unit == small_unit && inverse < 1.4210854715202004e-14) {  // 2^(80 - 126)
        precise const float smallest = inverse * 5.902958103587057e20;  // in 2^(80 - 149)
        return uintBitsToFloat(uint(smallest + 0.5));
    }
    return inverse * unit;
}

float inv_std_of(Moments moments, float unit) {
    if (moments.count == 0) return 0;
    precise const float sum = variance_of(moments) + push.finish.epsilon * unit * unit;
    return is_finite(sum) ? times_unit(inverse_deviation(sum), unit) : uintBitsToFloat(not_a_number);
}

void finish(uint of_set, Moments moments, float unit, float inverse) {
    if ((push.finish.gives & norm_gives_inv_std) != 0) inv_std[push.finish.inv_std_first + of_set] = inverse;
    if ((push.finish.gives & norm_gives_mean) != 0) {
        mean[push.finish.mean_first + of_set] = moments.high * per_unit(unit);
        mean[push.finish.mean_first + push.finish.low + of_set] = moments.low * per_unit(unit);
    }
#ifdef HEALTH_BINDING
    if (gives_count && of_set == 0) count[push.count_first] = moments.count;
    if (gives_health) report(of_set, moments, unit);
#endif
    if (gives_running) update_running(of_set, moments, unit);
}
