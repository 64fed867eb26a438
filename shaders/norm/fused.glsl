// A whole direction of training in one dispatch: what an invocation, or a workgroup, measures or sums it then normalizes,
// while it is in its cache. The partials of a set are merged in the order of norm/tree.glsl, so that the bits are those of
// the passes.
//
//   adjacent     An invocation has four channels of one position, each a set.
//   whole rows   An invocation has a set of one row.
//   else         A workgroup has a set; its rows are shared out strand by strand.
//
// Requires push.shape.

// The set of the invocation, or the first of its four.
uint set_at_hand() { return adjacent ? 4 * gl_GlobalInvocationID.x : whole_rows ? gl_GlobalInvocationID.x : gl_WorkGroupID.x; }

// The invocation among those of its set, and how many they are.
uint hand() { return adjacent || whole_rows ? 0 : gl_LocalInvocationID.x; }
uint hands() { return adjacent || whole_rows ? 1 : gl_WorkGroupSize.x; }

NormWalk walk_of(NormFused shape) {
    NormWalk walk;
    walk.width = shape.sets;
    walk.height = 1;
    walk.lane_bits = shape.lane_bits;
    walk.blocks = shape.blocks;
    walk.values = shape.values;
    walk.positions = 1;
    walk.value_pitch = shape.row_pitch;
    walk.z_pitch = walk.z_of_sample = walk.sample_pitch = walk.value_first = 0;
    return walk;
}

// One row of the set, or four sets.
Place place_of_row(NormFused shape, uint of_set, uint row) {
    Place place;
    place.samp = place.row = 0;
    place.positions = uvec4(0);
    place.there = 4;
    place.address = adjacent ? of_set >> 2 : of_set * shape.set_pitch + row * shape.row_pitch;
    place.channels = adjacent ? of_set + uvec4(0, 1, 2, 3) : uvec4(of_set);
    return place;
}

// Which gamma and beta a row takes, unless each position has its own.
uvec4 parameters_of(NormFused shape, Place place, uint row) {
    if (shape.sample_sets == shape.sets && shape.group == 1) return place.channels;
    return (place.channels % shape.sample_sets) * shape.group + (shape.group > 1 ? row : 0);
}

// The hands share out a row as a sweep.
Sweep sweep_of_row(NormFused shape, Place place) {
    NormWalk walk = walk_of(shape);
    if (adjacent) {
        walk.blocks = shape.values;
        return sweep_of(walk, place, uvec3(0));
    }
    walk.lane_bits = findMSB(hands());
    walk.blocks = shape.values;
    return sweep_of(walk, place, uvec3(hand(), 0, 0));
}

shared uvec4 merged[norm_partials_branch];

// Those of a strand of a set, packed, and how two are merged, zeros being neutral: the kernel's.
uvec4 partial_of_strand(uint of_set, uint row, uint s);
uvec4 merge(uvec4 a, uvec4 b);

// Of a set that an invocation, or a workgroup, has.
uvec4 total_of_set(NormFused shape, uint of_set) {
    const uint items = shape.rows * shape.strands;
    if (whole_rows) return merge(uvec4(0), partial_of_strand(of_set, 0, 0));
    for (uint leaf = hand(); leaf < shape.leaves; leaf += hands()) {
        uvec4 total = uvec4(0);
        for (uint item = leaf; item < items; item += shape.leaves) {
            const uint row = item / shape.strands;
            total = merge(total, partial_of_strand(of_set, row, item - row * shape.strands));
        }
        merged[leaf] = total;
    }
    barrier();
    uvec4 total = uvec4(0);
    for (uint begin = 0; begin < shape.leaves; begin += norm_branch) {
        uvec4 part = uvec4(0);
        for (uint leaf = begin; leaf < min(begin + norm_branch, shape.leaves); ++leaf)
            part = merge(part, merged[leaf]);
        total = merge(total, part);
    }
    return total;
}
