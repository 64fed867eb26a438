// The product of gemm_tile.glsl for GPUs, and for whatever has no kernel of its own. A workgroup's tile is 32 rows by 64
// columns, each lane's 4 by 4. The lanes bring 16 terms of the tile's rows and columns into shared memory, and load the
// next 16 while they multiply these. Works for every size.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "nn/gemm_tile.glsl"

layout(std430, set = 0, binding = 0) readonly buffer A { float a[]; };
layout(std430, set = 0, binding = 0) readonly buffer AVectors { vec4 a_vectors[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { float b[]; };
layout(std430, set = 0, binding = 1) readonly buffer BVectors { vec4 b_vectors[]; };
layout(std430, set = 0, binding = 3) writeonly buffer C { float c[]; };
layout(std430, set = 0, binding = 3) writeonly buffer CVectors { vec4 c_vectors[]; };

const uint lanes = 128, terms = 16, tile_rows = 32, tile_columns = 64;
// Four more than needed: a line of terms then lies in different banks of the memory.
const uint a_pitch = tile_rows + 4, b_pitch = tile_columns + 4;
shared float a_tile[terms * a_pitch], b_tile[terms * b_pitch];  // op(a) transposed, op(b): [term, row or column]

// Four elements of a tile that are adjacent in memory, `span` of which are a term's: the first one's term, and row or
// column.
uvec2 place(uint four, uint span, bool terms_are_lines) {
    return terms_are_lines ? uvec2(four / (span / 4), four % (span / 4) * 4)
                           : uvec2(four % (terms / 4) * 4, four / (terms / 4));
}

// Four adjacent elements, `inside` of which are the matrix's; zeros beyond.
#define FETCH_FROM(NAME)                                                        \
    vec4 fetch_from_##NAME(int first, uint inside) {                            \
        if (whole_vectors) {                                                    \
            const vec4 loaded = NAME##_vectors[inside > 0 ? first / 4 : 0];     \
            return inside > 0 ? loaded : vec4(0);                               \
        }                                                                       \
        vec4 loaded;                                                            \
        [[unroll]] for (uint i = 0; i < 4; ++i) {                               \
            const float element = NAME[i < inside ? first + i : 0];             \
            loaded[i] = i < inside ? element : 0;                               \
        }                                                                       \
        return loaded;                                                          \
    }
FETCH_FROM(a)
FETCH_FROM(b)

uint from_here(uint at, uint end) { return at < end ? end - at : 0; }
uint inside_of(bool along_terms, uint term, uint line, uint lines) {
    const uint terms_left = from_here(term, end_term()), lines_left = from_here(line, lines);
    return along_terms ? (lines_left > 0 ? terms_left : 0) : (terms_left > 0 ? lines_left : 0);
}

vec4 fetch_a(uint k) {
    const uvec2 at = place(gl_LocalInvocationID.x, tile_rows, a_transposed) + uvec2(k, tile_row(tile_rows));
    return fetch_from_a(a_line(at.y) + a_term(at.x), inside_of(!a_transposed, at.x, at.y, p.rows));
}

vec4 fetch_b(uint k, uint share) {
    const uint four = gl_LocalInvocationID.x + share * lanes;
    const uvec2 at = place(four, tile_columns, !b_transposed) + uvec2(k, tile_column() * tile_columns);
    return fetch_from_b(b_line(at.y) + b_term(at.x), inside_of(b_transposed, at.x, at.y, p.columns));
}

void keep_a(vec4 fetched) {
    const uvec2 at = place(gl_LocalInvocationID.x, tile_rows, a_transposed);
    const uint first = at.x * a_pitch + at.y, step = a_transposed ? 1 : a_pitch;
    [[unroll]] for (uint i = 0; i < 4; ++i) a_tile[first + i * step] = fetched[i];
}

void keep_b(vec4 fetched, uint share) {
    const uvec2 at = place(gl_LocalInvocationID.x + share * lanes, tile_columns, !b_transposed);
    const uint first = at.x * b_pitch + at.y, step = b_transposed ? b_pitch : 1;
    [[unroll]] for (uint i = 0; i < 4; ++i) b_tile[first + i * step] = fetched[i];
}

void main() {
    const uint lane = gl_LocalInvocationID.x;
    const uint row = lane / (tile_columns / 4) * 4, column = lane % (tile_columns / 4) * 4;  // of the tile
    // One column of tiles sums op(a) as well, a row in each of the first lanes.
    const bool sums_a = sum_a && tile_column() == 0 && lane < tile_rows;

    float a_sum = 0;
    const uint first_row = tile_row(tile_rows) + row, first_column = tile_column() * tile_columns + column;
    vec4 sums[4];
    [[unroll]] for (uint r = 0; r < 4; ++r) sums[r] = vec4(bias_of_row(first_row + r));
    const uint end = end_term();
    uint k = first_term();
    vec4 next_a = fetch_a(k), next_b[2] = vec4[2](fetch_b(k, 0), fetch_b(k, 1));
    for (; k < end; k += terms) {
        barrier();  // the lanes have read the terms before these
        keep_a(next_a);
        keep_b(next_b[0], 0);
        keep_b(next_b[1], 1);
        barrier();
        next_a = fetch_a(k + terms);
        next_b = vec4[2](fetch_b(k + terms, 0), fetch_b(k + terms, 1));
        [[unroll]] for (uint term = 0; term < terms; ++term) {
            const uint at_a = term * a_pitch + row, at_b = term * b_pitch + column;
            const vec4 x = vec4(a_tile[at_a], a_tile[at_a + 1], a_tile[at_a + 2], a_tile[at_a + 3]);
            const vec4 y = vec4(b_tile[at_b], b_tile[at_b + 1], b_tile[at_b + 2], b_tile[at_b + 3]);
            sums[0] += x[0] * y;
            sums[1] += x[1] * y;
            sums[2] += x[2] * y;
            sums[3] += x[3] * y;
        }
        if (sums_a)
            [[unroll]] for (uint term = 0; term < terms; ++term) a_sum += a_tile[term * a_pitch + lane];
    }

    const uint summed_row = tile_row(tile_rows) + lane;
    if (sums_a && summed_row < p.rows) bias[gl_WorkGroupID.y * p.rows + summed_row] = a_sum;
    const vec4 added = bias_of_columns(first_column + uvec4(0, 1, 2, 3));
    [[unroll]] for (uint r = 0; r < 4; ++r) {
        if (first_row + r >= p.rows) continue;
        const vec4 results = sums[r] + added;
        const int first = int(first_row + r) * c_step();
        if (whole_vectors_of_c) {
            if (first_column < p.columns) c_vectors[(first + c_line(first_column)) / 4] = results;
        } else {
            [[unroll]] for (uint j = 0; j < 4; ++j)
                if (stored(first_column + j)) c[first + c_line(first_column + j)] = results[j];
        }
    }
}
