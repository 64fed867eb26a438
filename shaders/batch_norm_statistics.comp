// Training forward, pass 1: count, mean and squared deviations of every strand of x.
//
// Each strand is measured from one of its own values K: x - K is exact for values within a factor of two of K, so a
// large mean costs no digits. Within x - K: exact two-pass per block of four, then Chan's merge into the strand.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "batch_norm_walk.glsl"
#include "batch_norm_moments.glsl"

layout(push_constant) uniform Push { BatchNormStatistics push; };

BLOCK_READER(x, 0)
layout(std430, set = 0, binding = 1) writeonly buffer Partials { uvec4 partials[]; };
layout(std430, set = 0, binding = 2) buffer NumBatchesTracked { uint num_batches_tracked[]; };

// The kernel that follows reads the count: here nobody does.
void count_batch() {
    const uint low = num_batches_tracked[push.count_first] + 1;
    num_batches_tracked[push.count_first] = low;
    if (low == 0) ++num_batches_tracked[push.count_first + 1];
}

// Neither the smallest nor the largest of three: a lone outlier is not chosen.
float median(vec3 v) { return max(min(v.x, v.y), min(max(v.x, v.y), v.z)); }

float sum(vec4 v) {
    precise const float total = (v.x + v.y) + (v.z + v.w);
    return total;
}

Moments moments_of_strand(BatchNormWalk walk, Strand strand) {
    Cursor cursor = strand.start;
    float pilot = 0;
    precise float mean = 0;  // of x - pilot
    precise float squares = 0;
    for (uint i = 0; i < strand.blocks; ++i) {
        const vec4 x = read_x(walk, push.x_first, cursor);
        if (i == 0) pilot = median(x.xyw);
        precise const vec4 shifted = x - pilot;
        precise const float block_mean = sum(shifted) * 0.25;
        precise const vec4 deviation = shifted - block_mean;
        precise const vec4 squared = deviation * deviation;
        precise const float delta = block_mean - mean;
        precise const float move = delta / float(i + 1);
        precise const float between = delta * move * float(4 * i);
        squares += sum(squared) + between;
        mean += move;
        advance(walk, cursor);
    }
    Moments moments = Moments(4 * strand.blocks, pilot, mean, squares);
    if (strand.tail > 0) {
        const vec4 x = read_tail_x(walk, push.x_first, cursor, strand.tail);
        const bvec4 held = lessThan(uvec4(0, 1, 2, 3), uvec4(strand.tail));
        precise const vec4 shifted = mix(vec4(0), x - x.x, held);
        precise const float tail_mean = sum(shifted) / float(strand.tail);
        precise const vec4 deviation = mix(vec4(0), shifted - tail_mean, held);
        precise const vec4 squared = deviation * deviation;
        moments = merge(moments, Moments(strand.tail, x.x, tail_mean, sum(squared)));
    }
    return moments;
}

void main() {
    const BatchNormWalk walk = push.walk;
    if (push.counts == 1 && gl_GlobalInvocationID.x == 0) count_batch();
    for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
        const Strand strand = strand_at(walk, work);
        partials[push.partials.first + strand.channel * push.partials.pitch + strand.index] =
            packed(moments_of_strand(walk, strand));
    }
}
