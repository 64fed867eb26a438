#ifndef VKNORM_SHADERS_NORM_BATCHES
#define VKNORM_SHADERS_NORM_BATCHES
layout(std430, set = 0, binding = BATCHES_BINDING) buffer NumBatchesTracked { uint num_batches_tracked[]; };

// int64 in two words.
float batches_as_float(uint first) {
    precise const float batches =
        float(num_batches_tracked[first + 1]) * 4294967296.0 + float(num_batches_tracked[first]);
    return batches;
}
#endif
