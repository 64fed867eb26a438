#ifndef VKNORM_SHADERS_NORM_BATCHES
#define VKNORM_SHADERS_NORM_BATCHES
layout(std430, set = 0, binding = BATCHES_BINDING) buffer NumBatchesTracked { uint num_batches_tracked[]; };
#endif
