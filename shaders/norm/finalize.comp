// The partials of each set become mean, inv_std and, for the sets of batch normalization, the update of the running
// statistics and the report on the channel.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm.h"
#include "norm/inverse_deviation.glsl"
#include "norm/moments.glsl"
#include "norm/tree.glsl"

layout(push_constant) uniform Push { NormFinalize push; };

#define FINISH_BINDING 1
#include "norm/finish.glsl"

void main() {
    const Moments moments = rounded(unpacked(tree_total(push.partials)));
    if (tree_root() && tree_set() < push.partials.sets) finish(tree_set(), moments, inv_std_of(moments));
}
