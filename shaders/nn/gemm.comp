// The product of gemm_tile.glsl by lanes that each load all they need: 8 x 4 elements of c each, the columns one
// workgroup width apart. Works for every size.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/gemm_tile.glsl"

layout(std430, set = 0, binding = 0) readonly buffer A { float a[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { float b[]; };
layout(std430, set = 0, binding = 3) writeonly buffer C { float c[]; };

const uint tile_rows = 8;

void store(uint row, uint column, float sum) {
    if (column < p.columns) c[row * p.columns + column] = add_bias ? sum + bias[column] : sum;
    if (sum_a && column == p.columns) bias[row] = sum;
}

void store(uint row, uvec4 columns, vec4 sums) {
    if (row >= p.rows) return;
    store(row, columns.x, sums.x);
    store(row, columns.y, sums.y);
    store(row, columns.z, sums.z);
    store(row, columns.w, sums.w);
}

void main() {
    const uint width = gl_WorkGroupSize.x;
    const uint a_row = a_transposed ? 1 : p.inner, a_step = a_transposed ? p.rows : 1;
    const uint b_column = b_transposed ? p.inner : 1, b_step = b_transposed ? 1 : p.columns;
    const uint row = tile_row(tile_rows);
    const uvec4 columns = tile_column() * (width * 4) + gl_LocalInvocationID.x + width * uvec4(0, 1, 2, 3);
    // The sums of op(a) are the product with a column of ones behind the last column of b.
    const bvec4 ones = equal(columns, uvec4(p.columns));

    uvec4 a0 = min(row + uvec4(0, 1, 2, 3), p.rows - 1) * a_row;
    uvec4 a1 = min(row + uvec4(4, 5, 6, 7), p.rows - 1) * a_row;
    uvec4 b0 = min(columns, p.columns - 1) * b_column;
    vec4 sums[tile_rows] =
        vec4[tile_rows](vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0));
    for (uint k = 0, ka = 0, kb = 0; k < p.inner; ++k, ka += a_step, kb += b_step) {
        vec4 y = vec4(b[b0.x + kb], b[b0.y + kb], b[b0.z + kb], b[b0.w + kb]);
        if (sum_a) y = mix(y, vec4(1), ones);
        sums[0] += a[a0.x + ka] * y;
        sums[1] += a[a0.y + ka] * y;
        sums[2] += a[a0.z + ka] * y;
        sums[3] += a[a0.w + ka] * y;
        sums[4] += a[a1.x + ka] * y;
        sums[5] += a[a1.y + ka] * y;
        sums[6] += a[a1.z + ka] * y;
        sums[7] += a[a1.w + ka] * y;
    }
    store(row, columns, sums[0]);
    store(row + 1, columns, sums[1]);
    store(row + 2, columns, sums[2]);
    store(row + 3, columns, sums[3]);
    store(row + 4, columns, sums[4]);
    store(row + 5, columns, sums[5]);
    store(row + 6, columns, sums[6]);
    store(row + 7, columns, sums[7]);
}
