// The product of gemm_tile.glsl where texels are the fastest loads, by subgroups of eight lanes that load for each
// other (lavapipe). A lane owns 16 or 32 rows and four adjacent columns; for four terms it loads an eighth of the vectors of
// op(a)'s rows, which are shuffled to all, and its own 4 x 4 block of op(b).
//
// Needs whole vectors: the adjacent dimensions of a and b are multiples of four. sum_a needs a_transposed. Terms
// beyond the last of a run are zeros of a times the last row of b.
//
// The loops are left to the driver on purpose: unrolled by spirv-opt they run a quarter slower.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "nn/gemm_tile.glsl"

layout(set = 0, binding = 0) uniform samplerBuffer a;
layout(set = 0, binding = 1) uniform samplerBuffer b;
layout(std430, set = 0, binding = 3) writeonly buffer C { float c[]; };
layout(std430, set = 0, binding = 3) writeonly buffer CVectors { vec4 c_vectors[]; };

layout(constant_id = 6) const uint tile_rows = 16;  // a multiple of eight
const uint shares = tile_rows / 8;

void main() {
    const uint row = tile_row(tile_rows), column = (tile_column() * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * 4;

    // Indices of vectors, from here on.
    const int a_step = a_step() / 4, b_step = b_step() / 4, last = int(run_terms()) - 1;
    const int lane = int(gl_SubgroupInvocationID % 8), term = a_transposed ? lane / 2 : 0;
    int a_first[shares];
    for (int i = 0; i < shares; ++i)
        a_first[i] = a_line(a_transposed ? min(row + 8 * i + lane % 2 * 4, (p.rows - 1) / 4 * 4)
                                         : min(row + 8 * i + lane, p.rows - 1)) / 4;
    const ivec4 b_columns = b_transposed ? b_lines(column) / 4 : ivec4(0);
    const int b_column = b_transposed ? 0 : b_line(min(column, (p.columns - 1) / 4 * 4)) / 4;

    vec4 sums[tile_rows], a_sums[shares];
    for (int r = 0; r < tile_rows; ++r) sums[r] = vec4(bias_of_row(row + r));
    for (int i = 0; i < shares; ++i) a_sums[i] = vec4(0);
    Place at = first_place();
    for (uint step = steps(4); step > 0; --step, advance(at, 4)) {
        const int a_run = at.a / 4, b_run = at.b / 4, k = int(at.term);
        vec4 share[shares];
        for (int i = 0; i < shares; ++i) {
            if (a_transposed) {
                share[i] = texelFetch(a, a_first[i] + a_run + min(k + term, last) * a_step);
                if (k + term > last) share[i] = vec4(0);
                if (sum_a) a_sums[i] += share[i];
            } else {
                share[i] = texelFetch(a, a_first[i] + a_run + k / 4);
            }
        }
        mat4 y;  // a column for each term
        if (b_transposed) {
            const ivec4 from = b_columns + b_run + k / 4;
            y = transpose(mat4(texelFetch(b, from.x), texelFetch(b, from.y), texelFetch(b, from.z), texelFetch(b, from.w)));
        } else {
            const ivec4 from = b_column + b_run + min(k + ivec4(0, 1, 2, 3), last) * b_step;
            y = mat4(texelFetch(b, from.x), texelFetch(b, from.y), texelFetch(b, from.z), texelFetch(b, from.w));
        }
        for (int r = 0; r < tile_rows; ++r) {
            for (int t = 0; t < 4; ++t) {
                const float x = a_transposed ? subgroupShuffle(share[r / 8][r % 4], 2 * t + r % 8 / 4)
                                             : subgroupShuffle(share[r / 8][t], r % 8);
                sums[r] += x * y[t];
            }
        }
    }

    if (sum_a && tile_column() == 0) {
        for (int i = 0; i < shares; ++i) {
            // Every second lane had the same rows.
            a_sums[i] += subgroupShuffle(a_sums[i], lane ^ 2);
            a_sums[i] += subgroupShuffle(a_sums[i], lane ^ 4);
            const uint first = row + 8 * i + 4 * lane;
            for (uint j = 0; j < 4; ++j)
                if (lane < 2 && first + j < p.rows) bias[gl_WorkGroupID.y * p.rows + first + j] = a_sums[i][j];
        }
    }
    if (whole_vectors_of_c) {
        const bool inside = column < p.columns;
        const int first = c_line(column);
        const vec4 added = bias_of_columns(column + uvec4(0, 1, 2, 3));
        for (uint r = 0; r < tile_rows; ++r)
            if (inside && row + r < p.rows) c_vectors[(first + int(row + r) * c_step()) / 4] = sums[r] + added;
    } else {
        // Rows beyond the last one are written to its place, and then it; conditions for each store would cost more.
        for (uint j = 0; j < 4; ++j) {
            if (stored(column + j)) {
                const int first = c_line(column + j);
                for (uint i = 0; i < tile_rows; ++i) {
                    const uint r = tile_rows - 1 - i;
                    c[first + int(min(row + r, p.rows - 1)) * c_step()] = sums[r][j];
                }
            }
        }
    }
}
