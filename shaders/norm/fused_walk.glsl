// How strands run through a tensor of one sample, in one slice, in vectors or quads.

// With `lane_bits`, `blocks` and `strands` of a channel as in NormWalk.
NormWalk walk_of(NormFused shape, uint lane_bits, uint blocks, uint strands) {
    const uint step = (adjacent_channels ? 4 : 1) << lane_bits;
    NormWalk walk;
    walk.samples = 1;
    walk.sample_pitch = 0;
    walk.channels = shape.channels;
    walk.values = shape.values;
    walk.span = shape.span;
    walk.channel_pitch = shape.span;
    walk.image_pitch = shape.channels * shape.span;
    walk.lane_bits = lane_bits;
    walk.blocks = blocks;
    walk.strands = strands;
    walk.chunks_inner = 1;
    walk.inner = adjacent_channels ? shape.channels : strands >> lane_bits;
    walk.step_address = step / shape.span * walk.image_pitch + step % shape.span;
    walk.step_position = adjacent_channels ? step : step % shape.span;
    return walk;
}

NormWalk walk_of(NormFused shape) {
    return walk_of(shape, shape.strands > 1 ? norm_chunk_bits : 0, shape.blocks, shape.strands);
}
