// statistics.comp where channels are adjacent: an invocation measures the strands of four channels.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

#define BATCHES_BINDING 2
layout(push_constant) uniform Push { NormStatistics push; };

#define VALID_BINDING 3
#include "norm/features.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
#include "norm/quad_moments.glsl"
layout(std430, set = 0, binding = 1) writeonly buffer Partials { uvec4 partials[]; };

// Over those images that count: any of a block may be missing.
Moments[4] moments_of_counted(NormWalk walk, Strand strand, uint x_first) {
    const uint pitch = walk.image_pitch, images = 4 * strand.blocks + strand.tail;
    Moments moments[4];
    for (uint k = 0; k < 4; ++k) moments[k] = Moments(0, 0, 0, 0);
    uint at = x_first + strand.start.address, image = strand.start.position;
    for (uint first = 0; first < images; first += 4) {
        const uint left = min(images - first, 4);
        const bvec4 counts = counted(image, left);
        const uint there = uint(counts.x) + uint(counts.y) + uint(counts.z) + uint(counts.w);
        const vec4 none = vec4(0), a = row(walk, at), b = left > 1 ? row(walk, at + pitch) : none;
        const vec4 c = left > 2 ? row(walk, at + 2 * pitch) : none, d = left > 3 ? row(walk, at + 3 * pitch) : none;
        for (uint k = 0; k < 4; ++k) {
            const vec4 x = vec4(a[k], b[k], c[k], d[k]);
            const float pilot = counts.x ? x.x : counts.y ? x.y : counts.z ? x.z : x.w;
            moments[k] = merge(moments[k], moments_of_block(pilot, x, counts, there));
        }
        at += walk.step_address;
        image += walk.step_position;
    }
    return moments;
}

void main() {
    const NormWalk walk = push.walk;
    if (push.counts == 1 && gl_GlobalInvocationID.x == 0 && gl_GlobalInvocationID.y == 0) count_batch();
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            Moments moments[4];
            if (has_valid) moments = moments_of_counted(walk, strand, push.x_first);
            else moments = moments_of_quad(walk, strand, push.x_first);
            for (uint k = 0; k < 4; ++k)
                partials[partial_of(push.strands, samp, strand) + k * push.strands.pitch] = packed(moments[k]);
        }
    }
}
