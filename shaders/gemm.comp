// c = op(a) * op(b), with a bias or the bias gradient. Every invocation owns a tile of 8 x 4 elements of c, the columns
// one workgroup width apart, and adds its terms in order of the inner index: the same bits whatever the workgroup.
//
// Works for every size. Rows and columns beyond c are computed from the last valid ones and not stored.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "network.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool a_transposed = false;  // a is [inner, rows], else [rows, inner]
layout(constant_id = 2) const bool b_transposed = false;  // b is [columns, inner], else [inner, columns]
layout(constant_id = 3) const bool add_bias = false;      // bias [columns] is added to every row
layout(constant_id = 4) const bool sum_a = false;         // bias [rows] becomes the sums of op(a) over the inner index

layout(std430, set = 0, binding = 0) readonly buffer A { float a[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { float b[]; };
layout(std430, set = 0, binding = 2) buffer Bias { float bias[]; };
layout(std430, set = 0, binding = 3) writeonly buffer C { float c[]; };

layout(push_constant) uniform Push { Gemm p; };

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

    for (uint tile = p.first_tile + gl_WorkGroupID.x; tile < p.last_tile; tile += gl_NumWorkGroups.x) {
        const uint row = tile / p.tiles_across * 8;
        const uvec4 columns =
            tile % p.tiles_across * (width * 4) + gl_LocalInvocationID.x + width * uvec4(0, 1, 2, 3);
        // The sums of op(a) are the product with a column of ones behind the last column of b.
        const bvec4 ones = equal(columns, uvec4(p.columns));

        uvec4 a0 = min(row + uvec4(0, 1, 2, 3), p.rows - 1) * a_row;
        uvec4 a1 = min(row + uvec4(4, 5, 6, 7), p.rows - 1) * a_row;
        uvec4 b0 = min(columns, p.columns - 1) * b_column;
        vec4 sums[8] = vec4[8](vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0));
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
}
