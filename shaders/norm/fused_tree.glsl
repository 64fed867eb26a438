// Merges what the invocations of a workgroup have of one channel, in the order of norm/tree.glsl: up to
// norm_partials_branch partials.
// Requires `uvec4 merge(uvec4, uvec4)`, for which zeros are neutral, and `uvec4 partial_of_strand(NormWalk, Strand)`.

shared uvec4 merged[norm_branch];

uvec4 total_of_channel(NormWalk walk, uint channel) {
    const uint lane = gl_LocalInvocationID.x;
    for (uint leaf = lane; leaf < norm_branch; leaf += gl_WorkGroupSize.x) {
        uvec4 total = uvec4(0);
        for (uint strand = leaf; strand < walk.strands; strand += norm_branch)
            total = merge(total, partial_of_strand(walk, strand_at(walk, 0, channel * walk.strands + strand)));
        merged[leaf] = total;
    }
    barrier();
    uvec4 total = merged[0];
    for (uint leaf = 1; leaf < norm_branch; ++leaf) total = merge(total, merged[leaf]);
    return total;
}

// The same channel once more, its blocks dealt out to the invocations one by one.
NormWalk walk_of_channel(NormFused shape) {
    const uint lanes = 1 << norm_chunk_bits, blocks = shape.values / 4;
    return walk_of(shape, norm_chunk_bits, (blocks + lanes - 1) / lanes, lanes);
}
