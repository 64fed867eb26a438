// A sweep in quads: an invocation owns four adjacent elements of an image, aligned to four, in up to `blocks` images one
// after the other. `inner` quads make up an image of the slice, which holds whole rows of positions; `channel` is the
// first of the elements.

Strand strand_at(NormWalk walk, uint samp, uint work) {
    const uint run = work / walk.inner;
    const uint quad = work - run * walk.inner;
    const uint image = run * walk.blocks;
    const uint address = samp * walk.sample_pitch + image * walk.image_pitch + quad;
    return Strand(4 * quad, run, min(walk.blocks, walk.values - image), 0, image, Cursor(address, 0));
}

void advance(NormWalk walk, inout Cursor cursor) { cursor.address += walk.image_pitch; }
