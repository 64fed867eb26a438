// The product of gemm_tile.glsl for GPUs, and for whatever has no kernel of its own. A workgroup's tile is 32 rows by 64
// columns, each lane's 4 by 4. The lanes bring 16 terms of the tile's rows and columns into shared memory, and load the
// next 16 while they multiply these. Works for every size.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "nn/gemm_tile.glsl"

layout(constant_id = 5) const bool vectors = false;  // the adjacent dimensions of a, b and c are multiples of four

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

// Elements at ... at + 3 of a line of a matrix [lines, length]; zeros beyond it.
#define FETCH_FROM(NAME)                                                                    \
    vec4 fetch_from_##NAME(uint line, uint lines, uint at, uint length) {                   \
        if (vectors) {                                                                      \
            const bool inside = line < lines && at < length;                                \
            const vec4 loaded = NAME##_vectors[inside ? (line * length + at) / 4 : 0];      \
            return inside ? loaded : vec4(0);                                               \
        }                                                                                   \
        vec4 loaded;                                                                        \
        [[unroll]] for (uint i = 0; i < 4; ++i) {                                           \
            const bool inside = line < lines && at + i < length;                            \
            const float element = NAME[inside ? line * length + at + i : 0];                \
            loaded[i] = inside ? element : 0;                                               \
        }                                                                                   \
        return loaded;                                                                      \
    }
FETCH_FROM(a)
FETCH_FROM(b)

vec4 fetch_a(uint k) {
    const uvec2 at = place(gl_LocalInvocationID.x, tile_rows, a_transposed) + uvec2(k, tile_row(tile_rows));
    return a_transposed ? fetch_from_a(at.x, p.inner, at.y, p.rows) : fetch_from_a(at.y, p.rows, at.x, p.inner);
}

vec4 fetch_b(uint k, uint share) {
    const uint four = gl_LocalInvocationID.x + share * lanes;
    const uvec2 at = place(four, tile_columns, !b_transposed) + uvec2(k, tile_column() * tile_columns);
    return b_transposed ? fetch_from_b(at.y, p.columns, at.x, p.inner) : fetch_from_b(at.x, p.inner, at.y, p.columns);
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
    vec4 sums[4] = vec4[4](vec4(0), vec4(0), vec4(0), vec4(0));
    vec4 next_a = fetch_a(0), next_b[2] = vec4[2](fetch_b(0, 0), fetch_b(0, 1));
    for (uint k = 0; k < p.inner; k += terms) {
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

    const uint first_row = tile_row(tile_rows), first_column = tile_column() * tile_columns + column;
    if (sums_a && first_row + lane < p.rows) bias[first_row + lane] = a_sum;
    vec4 added = vec4(0);
    if (add_bias)
        [[unroll]] for (uint j = 0; j < 4; ++j) added[j] = bias[min(first_column + j, p.columns - 1)];
    [[unroll]] for (uint r = 0; r < 4; ++r) {
        const uint first = (first_row + row + r) * p.columns + first_column;
        if (first_row + row + r >= p.rows) continue;
        const vec4 results = sums[r] + added;
        if (vectors) {
            if (first_column < p.columns) c_vectors[first / 4] = results;
        } else {
            [[unroll]] for (uint j = 0; j < 4; ++j)
                if (first_column + j < p.columns) c[first + j] = results[j];
        }
    }
}
