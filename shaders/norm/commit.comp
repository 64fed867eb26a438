// The guard of the running statistics: they take in a batch if all of its statistics are finite; else nothing of them
// changes, and the batch is counted as refused. One workgroup, because all channels are asked before any is changed.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "finite.glsl"
#include "norm.h"

layout(local_size_x_id = 0) in;

PUSH_CONSTANTS(NormCommit, push)

layout(std430, set = 0, binding = 0) readonly buffer BatchMean { float batch_mean[]; };
layout(std430, set = 0, binding = 1) readonly buffer BatchVar { float batch_var[]; };
layout(std430, set = 0, binding = 2) buffer RunningMean { float running_mean[]; };
layout(std430, set = 0, binding = 3) buffer RunningVar { float running_var[]; };
#define BATCHES_BINDING 4
#include "norm/batches.glsl"
layout(std430, set = 0, binding = 5) buffer NumBatchesRefused { uint num_batches_refused[]; };

shared uint refused;
shared float batches;  // taken so far

void update(uint channel, float take, float keep) {
    const float var = batch_var[push.batch_var_first + channel];
    if (var == norm_nothing_staged) return;
    const uint mean_at = push.running_mean_first + channel, var_at = push.running_var_first + channel;
    precise const float new_mean = keep * running_mean[mean_at] + take * batch_mean[push.batch_mean_first + channel];
    precise const float new_var = keep * running_var[var_at] + take * var;
    running_mean[mean_at] = new_mean;
    running_var[var_at] = new_var;
}

void main() {
    const uint lane = gl_LocalInvocationID.x;
    if (lane == 0) refused = 0;
    barrier();
    for (uint channel = lane; channel < push.channels; channel += gl_WorkGroupSize.x) {
        if (!is_finite(batch_mean[push.batch_mean_first + channel]) || !is_finite(batch_var[push.batch_var_first + channel]))
            atomicOr(refused, 1);
    }
    barrier();
    const bool taken = refused == 0;
    if (lane == 0) {
        if (taken && push.counts == 1 && ++num_batches_tracked[push.batches_first] == 0)
            ++num_batches_tracked[push.batches_first + 1];
        if (!taken && push.refuses == 1 && ++num_batches_refused[push.refused_first] == 0)
            ++num_batches_refused[push.refused_first + 1];
        if (push.cumulative == 1) batches = batches_as_float(push.batches_first);
    }
    barrier();
    if (!taken || push.updates == 0) return;
    float take = push.take, keep = push.keep;
    if (push.cumulative == 1) {
        take = 1 / batches;
        keep = 1 - take;
    }
    for (uint channel = lane; channel < push.channels; channel += gl_WorkGroupSize.x) update(channel, take, keep);
}
