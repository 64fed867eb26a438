// Rows of channels as a tensor of one sample and one position, in quads.

NormWalk walk_of(NormRows rows) {
    NormWalk walk;
    walk.samples = 1;
    walk.sample_pitch = 0;
    walk.channels = rows.quads;
    walk.values = rows.rows;
    walk.span = 1;
    walk.channel_pitch = 1;
    walk.image_pitch = rows.quads;
    walk.lane_bits = rows.lane_bits;
    walk.blocks = rows.blocks;
    walk.strands = rows.strands;
    walk.chunks_inner = 0;
    walk.inner = rows.quads;
    walk.step_position = 4 << rows.lane_bits;
    walk.step_address = walk.step_position * rows.quads;
    return walk;
}
