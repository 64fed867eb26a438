// Sums of dy and dy * x^ over the strands of four adjacent channels, block by block and step by step as in
// strand_sums.glsl, so that they have the same bits.
#include "norm/numbers.glsl"

// Sums of four channels, and what their rounding lost.
struct Sums {
    vec4 high, lost;
};

void add_rows(inout Sums total, vec4 a, vec4 b, vec4 c, vec4 d) { add_four(total.high, total.lost, a, b, c, d); }

void merge(inout Sums total, Sums more) { add_sum(total.high, total.lost, more.high, more.lost); }

struct Row {
    vec4 dy, product;
};

// What is there of the rows of some images: bits of the mask, for each channel.
uvec4 passed_rows(uint channel, uint image, uint images) {
#ifdef MASK_BINDING
    if (has_mask) return were_let_through(push.mask, push.sets.first_channel + channel, image, images);
#endif
    return uvec4(0);
}

// Four adjacent elements of an image; by image, the statistics are those of the row. `passed` has the bit for each.
Row row_at(NormWalk walk, Scaling scaling, uint image, uint x_at, uint dy_at, uvec4 passed) {
    Row row = Row(read_dy(walk, dy_at, Cursor(0, 0)), vec4(0));
    if (has_mask) row.dy = mix(vec4(0), row.dy, notEqual(passed & 1, uvec4(0)));
#ifdef VALID_BINDING
    if (has_valid && !is_valid(image)) return Row(vec4(0), vec4(0));
#endif
    if (!needs_x) return row;
    if (by_image) {
        const vec3 of_row = statistics_of_set(image);
        scaling.mean = vec4(of_row.x);
        scaling.mean_lost = vec4(of_row.y);
        scaling.inv_std = vec4(of_row.z);
    }
    const vec4 x = read_x(walk, x_at, Cursor(0, 0));
    if (has_relu) row.dy = relu_gradient(scaling, x, row.dy);
    row.product = product(scaling, x, row.dy);
    return row;
}

// Of dy, and of dy * x^.
struct QuadSums {
    Sums q, q_x;
};

QuadSums sums_of_quad(NormWalk walk, Strand strand, Scaling scaling, uint x_first, uint dy_first) {
    Sums q = Sums(vec4(0), vec4(0)), q_x = q;
    const uint pitch = walk.image_pitch;
    uint x = x_first + strand.start.address, dy = dy_first + strand.start.address;
    uint image = strand.start.position;
    for (uint i = 0; i < strand.blocks; ++i) {
        const uvec4 passed = passed_rows(strand.channel, image, 4);
        const Row a = row_at(walk, scaling, image, x, dy, passed);
        const Row b = row_at(walk, scaling, image + 1, x + pitch, dy + pitch, passed >> 1);
        const Row c = row_at(walk, scaling, image + 2, x + 2 * pitch, dy + 2 * pitch, passed >> 2);
        const Row d = row_at(walk, scaling, image + 3, x + 3 * pitch, dy + 3 * pitch, passed >> 3);
        add_rows(q, a.dy, b.dy, c.dy, d.dy);
        if (needs_x) add_rows(q_x, a.product, b.product, c.product, d.product);
        x += walk.step_address;
        dy += walk.step_address;
        image += walk.step_position;
    }
    if (strand.tail > 0) {
        const uvec4 passed = passed_rows(strand.channel, image, strand.tail);
        const Row none = Row(vec4(0), vec4(0)), a = row_at(walk, scaling, image, x, dy, passed);
        Row b = none, c = none;
        if (strand.tail > 1) b = row_at(walk, scaling, image + 1, x + pitch, dy + pitch, passed >> 1);
        if (strand.tail > 2) c = row_at(walk, scaling, image + 2, x + 2 * pitch, dy + 2 * pitch, passed >> 2);
        add_rows(q, a.dy, b.dy, c.dy, none.dy);
        if (needs_x) add_rows(q_x, a.product, b.product, c.product, none.product);
    }
    return QuadSums(q, q_x);
}
