// What the kernels of a matrix product c = op(a) * op(b) share. A workgroup owns one tile of c, its lanes adjacent
// columns, and every element of c adds its terms in order of the inner index: the same bits whatever the workgroup.
// Rows and columns beyond c are computed from the last valid ones and not stored.
#include "nn.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool a_transposed = false;  // a is [inner, rows], else [rows, inner]
layout(constant_id = 2) const bool b_transposed = false;  // b is [columns, inner], else [inner, columns]
layout(constant_id = 3) const bool add_bias = false;      // bias [columns] is added to every row
layout(constant_id = 4) const bool sum_a = false;         // bias [rows] becomes the sums of op(a) over the inner index

layout(std430, set = 0, binding = 2) buffer Bias { float bias[]; };

PUSH_CONSTANTS(Gemm, p)

// The first row, and the first column in units of a workgroup's width.
uint tile_row(uint rows) { return (p.first_tile + gl_WorkGroupID.x) / p.tiles_across * rows; }
uint tile_column() { return (p.first_tile + gl_WorkGroupID.x) % p.tiles_across; }
