// What the kernels of a matrix product c = op(a) * op(b) share. A workgroup owns one tile of c, its lanes adjacent
// columns, and every element of c adds its terms in order: the same bits whatever the workgroup. Rows and columns beyond c
// are computed from the last valid ones and not stored.
//
// With CONVOLUTION the matrices are those of a convolution, see nn.h, whose terms are in many runs.
#include "nn.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool a_transposed = false;  // a is [inner, rows], else [rows, inner]
layout(constant_id = 2) const bool b_transposed = false;  // b is [columns, inner], else [inner, columns]
layout(constant_id = 3) const bool add_bias = false;      // bias is added: [columns]; of a convolution [rows]
layout(constant_id = 4) const bool sum_a = false;         // bias [rows] becomes the sums of op(a) over the inner index

layout(std430, set = 0, binding = 2) buffer Bias { float bias[]; };

// Below: where a row of op(a), a column of op(b), and a column of c begin; what it is from there to a term, or to a row of
// c; whether a column is stored; and what biases add.
#ifdef CONVOLUTION
PUSH_CONSTANTS(Convolution, p)

const bool whole_vectors = true;  // the adjacent dimensions of a and b are multiples of four
layout(constant_id = 5) const bool whole_vectors_of_c = false;  // so are those of c, four columns side by side

uvec3 parts_of(uint number, uint count_y, uint count_z) {
    const uint line = number / count_z;
    return uvec3(line / count_y, line % count_y, number % count_z);
}
uvec3 column_parts(uint column) { return parts_of(column, p.columns_y, p.columns_z); }
uvec3 next_column(uvec3 at) {
    ++at.z;
    if (at.z == p.columns_z) at.yz = uvec2(at.y + 1, 0);
    if (at.y == p.columns_y) at.xy = uvec2(at.x + 1, 0);
    return at;
}

int a_line(uint row) { return p.a_first + int(row) * p.a_row; }
int b_line(uvec3 at) {
    return p.b_first + int(at.x) * p.b_column_x + int(at.y) * p.b_column_y + int(at.z) * p.b_column_z;
}
int b_line(uint column) { return b_line(column_parts(column)); }
ivec4 b_lines(uint column) {
    column = min(column, p.columns - 1);
    uvec3 at = column_parts(column);
    ivec4 lines;
    for (uint j = 0; j < 4; ++j) {
        lines[j] = b_line(at);
        if (column + j + 1 < p.columns) at = next_column(at);
    }
    return lines;
}
int c_line(uvec3 at) {
    return p.c_first + int(gl_WorkGroupID.y) * p.c_part + int(at.x) * p.c_column_x + int(at.y) * p.c_column_y +
           int(at.z) * p.c_column_z;
}
int c_line(uint column) { return c_line(column_parts(column)); }
bool stored(uint column) { return column < p.columns && column % p.columns_z < p.stored_z; }

int a_step() { return p.a_z; }
int b_step() { return p.b_z; }
int c_step() { return p.c_row; }
int a_term(uint term) {
    const uvec3 at = parts_of(term, p.terms_y, p.terms_z);
    return int(at.x) * p.a_x + int(at.y) * p.a_y + int(at.z) * p.a_z;
}
int b_term(uint term) {
    const uvec3 at = parts_of(term, p.terms_y, p.terms_z);
    return int(at.x) * p.b_x + int(at.y) * p.b_y + int(at.z) * p.b_z;
}

uint first_term() { return gl_WorkGroupID.y * p.part_runs * p.terms_z; }
uint end_term() { return min(p.runs, (gl_WorkGroupID.y + 1) * p.part_runs) * p.terms_z; }
uint run_terms() { return p.terms_z; }

// Where a kernel is that takes so many terms of a run at once: what it is to the run's first term, the run's place in its
// line of runs, and the term.
struct Place {
    int a, b;
    uint run, term;
};
Place first_place() {
    const uint first = gl_WorkGroupID.y * p.part_runs, x = first / p.terms_y, y = first % p.terms_y;
    return Place(int(x) * p.a_x + int(y) * p.a_y, int(x) * p.b_x + int(y) * p.b_y, y, 0);
}
uint steps(uint terms) {
    const uint first = gl_WorkGroupID.y * p.part_runs;
    return (min(p.runs, first + p.part_runs) - first) * ((p.terms_z + terms - 1) / terms);
}
// Without branches, which cost as much as a step.
void advance(inout Place at, uint terms) {
    const bool next_run = at.term + terms >= p.terms_z;
    const bool next_line = next_run && at.run + 1 == p.terms_y;
    at.term = next_run ? 0 : at.term + terms;
    at.run = next_line ? 0 : next_run ? at.run + 1 : at.run;
    at.a += next_run ? p.a_y : 0;
    at.b += next_run ? p.b_y : 0;
    at.a += next_line ? p.a_x - int(p.terms_y) * p.a_y : 0;
    at.b += next_line ? p.b_x - int(p.terms_y) * p.b_y : 0;
}

float bias_of_row(uint row) { return add_bias ? bias[min(row, p.rows - 1)] : 0; }
vec4 bias_of_columns(uvec4 columns) { return vec4(0); }
#else
PUSH_CONSTANTS(Gemm, p)

layout(constant_id = 5) const bool whole_vectors = false;  // the adjacent dimensions of a, b and c are multiples of four
const bool whole_vectors_of_c = whole_vectors;

int a_line(uint row) { return int(a_transposed ? row : row * p.inner); }
int b_line(uint column) { return int(b_transposed ? column * p.inner : column); }
ivec4 b_lines(uint column) { return ivec4(min(column + uvec4(0, 1, 2, 3), p.columns - 1) * p.inner); }
int c_line(uint column) { return int(column); }
bool stored(uint column) { return column < p.columns; }

int a_step() { return int(a_transposed ? p.rows : 1); }
int b_step() { return int(b_transposed ? 1 : p.columns); }
int c_step() { return int(p.columns); }
int a_term(uint term) { return int(term) * a_step(); }
int b_term(uint term) { return int(term) * b_step(); }

uint first_term() { return 0; }
uint end_term() { return p.inner; }
uint run_terms() { return p.inner; }

struct Place {
    int a, b;
    uint term;
};
Place first_place() { return Place(0, 0, 0); }
uint steps(uint terms) { return (p.inner + terms - 1) / terms; }
void advance(inout Place at, uint terms) { at.term += terms; }

float bias_of_row(uint row) { return 0; }
vec4 bias_of_columns(uvec4 columns) {
    const uvec4 from = min(columns, p.columns - 1);
    return add_bias ? vec4(bias[from.x], bias[from.y], bias[from.z], bias[from.w]) : vec4(0);
}
#endif

// The first row, and the first column in units of a workgroup's width.
uint tile_row(uint rows) { return (p.first_tile + gl_WorkGroupID.x) / p.tiles_across * rows; }
uint tile_column() { return (p.first_tile + gl_WorkGroupID.x) % p.tiles_across; }
