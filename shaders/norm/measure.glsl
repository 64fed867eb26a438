// What the kernels that measure share. Requires BATCHES_BINDING.

#include "norm/batches.glsl"

// The kernel that follows reads the count: here nobody does.
void count_batch() {
    const uint low = num_batches_tracked[push.batches_first] + 1;
    num_batches_tracked[push.batches_first] = low;
    if (low == 0) ++num_batches_tracked[push.batches_first + 1];
}

float sum(vec4 v) { return sum_of_block(float[4](v.x, v.y, v.z, v.w)); }

// The exact mean of a block is subtracted before squaring.
Moments moments_of_block(float pilot, vec4 x, bvec4 counts, uint values) {
    precise const vec4 shifted = mix(vec4(0), x - pilot, counts);
    precise const float mean = sum(shifted) / float(values);
    precise const vec4 deviation = mix(vec4(0), shifted - mean, counts);
    precise const vec4 squared = deviation * deviation;
    return Moments(values, pilot, mean, sum(squared));
}
