// The same product as gemm.comp for devices with narrow subgroups (CPU drivers), where every element that a lane
// loads costs: the lanes of a subgroup load 8 x 4 elements of op(a) once, four floats each, and shuffle them to each
// other. A lane owns eight rows and four adjacent columns of c.
//
// Needs subgroups of at least 8 lanes, all of them in use, and whole vectors: the adjacent dimension of a and of b is a
// multiple of four.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "network.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool a_transposed = false;
layout(constant_id = 2) const bool b_transposed = false;
layout(constant_id = 3) const bool add_bias = false;
layout(constant_id = 4) const bool sum_a = false;

layout(std430, set = 0, binding = 0) readonly buffer A { vec4 a[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { vec4 b[]; };
layout(std430, set = 0, binding = 2) buffer Bias { float bias[]; };
layout(std430, set = 0, binding = 3) writeonly buffer C { float c[]; };
layout(std430, set = 0, binding = 3) writeonly buffer CVectors { vec4 c_vectors[]; };

layout(push_constant) uniform Push { Gemm p; };

void multiply_add(inout vec4 sums[8], vec4 share, mat4 y) {
    if (a_transposed) {
        for (uint k = 0; k < 4; ++k) {
            const vec4 upper = subgroupShuffle(share, 2 * k), lower = subgroupShuffle(share, 2 * k + 1);
            sums[0] += y[k] * upper.x;
            sums[1] += y[k] * upper.y;
            sums[2] += y[k] * upper.z;
            sums[3] += y[k] * upper.w;
            sums[4] += y[k] * lower.x;
            sums[5] += y[k] * lower.y;
            sums[6] += y[k] * lower.z;
            sums[7] += y[k] * lower.w;
        }
    } else {
        for (uint row = 0; row < 8; ++row) {
            const vec4 x = subgroupShuffle(share, row);
            sums[row] += y * x;
        }
    }
}

void store(uint row, uint column, vec4 sums) {
    if (row >= p.rows) return;
    if (sum_a && column == p.columns) bias[row] = sums.x;
    if (column >= p.columns) return;
    const uint first = row * p.columns + column;
    if (p.columns % 4 == 0) {
        if (add_bias) sums += vec4(bias[column], bias[column + 1], bias[column + 2], bias[column + 3]);
        c_vectors[first / 4] = sums;
    } else {
        for (uint i = 0; i < min(4, p.columns - column); ++i)
            c[first + i] = add_bias ? sums[i] + bias[column + i] : sums[i];
    }
}

void main() {
    for (uint tile = p.first_tile + gl_WorkGroupID.x; tile < p.last_tile; tile += gl_NumWorkGroups.x) {
        const uint row = tile / p.tiles_across * 8;
        const uint column = (tile % p.tiles_across * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * 4;
        const bool ones = sum_a && column == p.columns;

        // Indices of vectors, from here on. This lane loads one of the eight vectors of op(a)'s 8 x 4 block.
        const uint lane = gl_SubgroupInvocationID % 8;
        const uint a_pitch = (a_transposed ? p.rows : p.inner) / 4, a_step = a_transposed ? 4 * a_pitch : 1;
        const uint b_pitch = (b_transposed ? p.inner : p.columns) / 4, b_step = b_transposed ? 1 : 4 * b_pitch;
        const uint a_column = min(row / 4 + lane % 2, a_pitch - 1);
        uint a_next = a_transposed ? a_column + lane / 2 * a_pitch : min(row + lane, p.rows - 1) * a_pitch;
        uvec4 b_next = b_transposed ? min(column + uvec4(0, 1, 2, 3), p.columns - 1) * b_pitch
                                    : min(column / 4, b_pitch - 1) + b_pitch * uvec4(0, 1, 2, 3);

        vec4 sums[8] = vec4[8](vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0));
        uint k = 0;
        for (; k + 4 <= p.inner; k += 4) {
            mat4 y = mat4(b[b_next.x], b[b_next.y], b[b_next.z], b[b_next.w]);
            if (b_transposed) y = transpose(y);
            if (sum_a && ones) y = mat4(vec4(1), vec4(1), vec4(1), vec4(1));
            multiply_add(sums, a[a_next], y);
            a_next += a_step;
            b_next += b_step;
        }
        if (k < p.inner) {
            // The inner dimension is not the adjacent one of either: up to three more rows of b, then zeros.
            const bvec4 valid = lessThan(k + uvec4(0, 1, 2, 3), uvec4(p.inner));
            const vec4 zero = vec4(0), one = vec4(1);
            mat4 y = mat4(zero, zero, zero, zero);
            for (uint i = 0; i < 3; ++i)
                if (valid[i]) y[i] = ones ? one : b[b_next[i]];
            multiply_add(sums, a[valid[lane / 2] ? a_next : a_column + (p.inner - 1) * a_pitch], y);
        }
        store(row, column, sums[0]);
        store(row + 1, column, sums[1]);
        store(row + 2, column, sums[2]);
        store(row + 3, column, sums[3]);
        store(row + 4, column, sums[4]);
        store(row + 5, column, sums[5]);
        store(row + 6, column, sums[6]);
        store(row + 7, column, sums[7]);
    }
}
