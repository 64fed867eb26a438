// The product of gemm_tile.glsl where texels are the fastest loads, by subgroups of eight lanes that load for each
// other (lavapipe). A lane owns sixteen rows and four adjacent columns; for four terms it loads two of the vectors of
// op(a)'s 16 x 4 block, which are shuffled to all, and its own 4 x 4 block of op(b).
//
// Needs whole vectors: the adjacent dimensions of a, b and c are multiples of four. sum_a needs a_transposed. Terms
// beyond the last are zeros of a times the last row of b.
//
// The loops are left to the driver on purpose: unrolled by spirv-opt they run a quarter slower.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "nn/gemm_tile.glsl"

layout(set = 0, binding = 0) uniform samplerBuffer a;
layout(set = 0, binding = 1) uniform samplerBuffer b;
layout(std430, set = 0, binding = 3) writeonly buffer C { vec4 c[]; };

const uint tile_rows = 16, shares = tile_rows / 8;

void main() {
    const uint row = tile_row(tile_rows), column = (tile_column() * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * 4;

    // Indices of vectors, from here on.
    const int a_pitch = int(a_transposed ? p.rows : p.inner) / 4, a_step = a_transposed ? 4 * a_pitch : 1;
    const int b_pitch = int(b_transposed ? p.inner : p.columns) / 4, last = int(p.inner) - 1;
    const int lane = int(gl_SubgroupInvocationID % 8), term = a_transposed ? lane / 2 : 0;
    int a_first[shares];
    for (int i = 0; i < shares; ++i)
        a_first[i] = a_transposed ? min(int(row) / 4 + 2 * i + lane % 2, a_pitch - 1)
                                  : min(int(row) + 8 * i + lane, int(p.rows) - 1) * a_pitch;
    const ivec4 b_columns = min(int(column) + ivec4(0, 1, 2, 3), int(p.columns) - 1) * b_pitch;
    const int b_column = min(int(column) / 4, b_pitch - 1);

    vec4 sums[tile_rows], a_sums[shares];
    for (int r = 0; r < tile_rows; ++r) sums[r] = vec4(0);
    for (int i = 0; i < shares; ++i) a_sums[i] = vec4(0);
    for (int k = 0; k <= last; k += 4) {
        vec4 share[shares];
        for (int i = 0; i < shares; ++i) {
            if (a_transposed) {
                share[i] = texelFetch(a, a_first[i] + min(k + term, last) * a_pitch);
                if (k + term > last) share[i] = vec4(0);
                if (sum_a) a_sums[i] += share[i];
            } else {
                share[i] = texelFetch(a, a_first[i] + k / 4);
            }
        }
        mat4 y;  // a column for each term
        if (b_transposed) {
            const ivec4 at = b_columns + k / 4;
            y = transpose(mat4(texelFetch(b, at.x), texelFetch(b, at.y), texelFetch(b, at.z), texelFetch(b, at.w)));
        } else {
            const ivec4 at = b_column + min(k + ivec4(0, 1, 2, 3), last) * b_pitch;
            y = mat4(texelFetch(b, at.x), texelFetch(b, at.y), texelFetch(b, at.z), texelFetch(b, at.w));
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
            if (lane < 2 && first < p.rows)
                for (uint j = 0; j < 4; ++j) bias[first + j] = a_sums[i][j];
        }
    }
    const bool inside = column < p.columns;
    vec4 added = vec4(0);
    if (add_bias && inside) added = vec4(bias[column], bias[column + 1], bias[column + 2], bias[column + 3]);
    for (int r = 0; r < tile_rows; ++r)
        if (inside && row + r < p.rows) c[((row + r) * p.columns + column) / 4] = sums[r] + added;
}
