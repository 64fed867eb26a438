// What an invocation needs to normalize one channel.
//
// Statistics of the batch: `mean` is [2, C], the rounded mean and what its rounding lost; `deviation` is inv_std.
// Statistics frozen: `mean` is running_mean, `deviation` is running_var.

#include "inverse_deviation.glsl"

layout(constant_id = 1) const bool frozen = false;

struct Normalizer {
    float high, low;  // the mean
    float inv_std;
};

#define NORMALIZER_READER(MEAN_BINDING, DEVIATION_BINDING)                                                      \
    layout(std430, set = 0, binding = MEAN_BINDING) readonly buffer Mean { float mean[]; };                     \
    layout(std430, set = 0, binding = DEVIATION_BINDING) readonly buffer Deviation { float deviation[]; };      \
    Normalizer read_normalizer(BatchNormChannels channels, uint channel) {                                      \
        const float high = mean[channels.mean_first + channel];                                                 \
        const float value = deviation[channels.deviation_first + channel];                                      \
        if (frozen) {                                                                                           \
            precise const float variance = value + channels.epsilon;                                            \
            return Normalizer(high, 0, inverse_deviation(variance));                                            \
        }                                                                                                       \
        return Normalizer(high, mean[channels.mean_first + channels.low + channel], value);                     \
    }

// x minus the mean.
vec4 centred(Normalizer normalizer, vec4 x) {
    precise const vec4 from_high = x - normalizer.high;
    if (frozen) return from_high;
    precise const vec4 from_mean = from_high - normalizer.low;
    return from_mean;
}
